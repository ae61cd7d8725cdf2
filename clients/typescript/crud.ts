// Does a TypeScript client, made from the OpenAPI document, create, read, update and delete?
//
//     node build/crud.js http://127.0.0.1:8000 API_KEY
import assert from "node:assert/strict";

import createClient from "openapi-fetch";

import type { components, paths } from "./generated/goatfish.openapi.js";

type Simulation = components["schemas"]["APISimulation"];

const [baseUrl, apiKey] = process.argv.slice(2);
assert(baseUrl && apiKey, "Say where the API is, and with which key: URL API_KEY");

const api = createClient<paths>({ baseUrl, headers: { "X-API-Key": apiKey } });
const body = { name: "Lagoon", start_date: "2026-01-01", end_date: "2026-12-31" };

const created: Simulation | undefined = (await api.POST("/api/simulation/", { body })).data;
assert(created);
assert.deepEqual(created, { id: created.id, ...body });

const params = { path: { simulation_id: created.id } };
const list = await api.GET("/api/simulation/");
assert.deepEqual(list.data?.items.filter(({ id }) => id === created.id), [created]);
const read = await api.GET("/api/simulation/{simulation_id}/", { params });
assert.deepEqual(read.data, created);

const renamed = { ...body, name: "Reef" };
const updated = await api.PUT("/api/simulation/{simulation_id}/", { params, body: renamed });
assert.deepEqual(updated.data, { id: created.id, ...renamed });

const refused = await api.POST("/api/simulation/", { body: { ...body, name: "" } });
assert.equal(refused.response.status, 422);

const deleted = await api.DELETE("/api/simulation/{simulation_id}/", { params });
assert.deepEqual(deleted.data, updated.data);
const gone = await api.GET("/api/simulation/{simulation_id}/", { params });
assert.equal(gone.response.status, 404);
assert.deepEqual(gone.error, { detail: "Object not found." });

const stranger = await createClient<paths>({ baseUrl }).GET("/api/simulation/");
assert.equal(stranger.response.status, 401);

// What does not fit the document does not compile.
export async function wrong(): Promise<void> {
  // @ts-expect-error A field is missing.
  await api.POST("/api/simulation/", { body: { name: "Lagoon" } });
  // @ts-expect-error There is no such path.
  await api.GET("/api/simulations/");
  // @ts-expect-error Nothing says which simulation.
  await api.GET("/api/simulation/{simulation_id}/");
}

console.log("TypeScript: created, read, updated and deleted");
