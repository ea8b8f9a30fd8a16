"""From documents to a flat list of steps, with what each is bound to."""
