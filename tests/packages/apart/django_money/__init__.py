"""django-money: two columns, an amount and a currency, are one attribute of the model."""
