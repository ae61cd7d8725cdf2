"""fastapi-cache2: what an `async def` route answers is kept; of a `def` one, a check warns."""
