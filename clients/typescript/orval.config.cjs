// Which clients does orval make? One that fetches, and by itself what looks at answers, by zod.
const jobs = ["goatfish", "fields"].flatMap((name) => {
  const input = `generated/${name}.json`;
  return [
    [name, { input, output: { target: `generated/${name}.orval.ts`, client: "fetch", baseUrl: process.env.FIELDS_URL } }],
    [`${name}Zod`, { input, output: { target: `generated/${name}.zod.ts`, client: "zod" } }],
  ];
});

module.exports = Object.fromEntries(jobs);
