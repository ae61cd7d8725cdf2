// Which clients does @hey-api/openapi-ts make? Those that look at every answer, by zod.
export default ["goatfish", "fields"].map((name) => ({
  input: `./generated/${name}.json`,
  output: `generated/${name}`,
  plugins: [
    "@hey-api/client-fetch",
    "@hey-api/typescript",
    "zod",
    { name: "@hey-api/sdk", validator: { response: "zod" } },
  ],
}));
