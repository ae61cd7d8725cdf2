"""Code written for people: schemas, APIs of models, whole projects."""
