# P141 at 1:1


def pipeline() -> str:
    return "made by nobody"
