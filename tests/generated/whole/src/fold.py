print("fold")
