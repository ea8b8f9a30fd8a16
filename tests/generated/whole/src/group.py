print("group")
