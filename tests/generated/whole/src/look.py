print("look")
