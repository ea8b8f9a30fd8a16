print("item")
