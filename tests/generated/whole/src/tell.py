print("tell")
