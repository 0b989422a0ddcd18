// @lancedb/arrow-flight-sql-client. Usage: node client.cjs FOLDER_OF_NODE_MODULES HOST:PORT

const assert = require("node:assert");
const path = require("node:path");

const [folder, host] = process.argv.slice(2);
const name = "@lancedb/arrow-flight-sql-client";
const { Client } = require(path.join(folder, "node_modules", name));
const { version } = require(path.join(folder, "node_modules", name, "package.json"));

async function main() {
  const client = await Client.connect({ host, username: "local", password: "", insecure: true });
  const [row] = await (await client.query("SELECT count(*) AS n, '營業稅' AS text FROM ref.county")).collectToObjects();
  assert.strictEqual(Number(row.n), 22);
  assert.strictEqual(row.text, "營業稅");
  const batches = await (await client.query("SELECT value FROM generate_series(1, 300000)")).collectToArrow();
  assert.strictEqual(batches.reduce((rows, batch) => rows + batch.numRows, 0), 300000);
  await assert.rejects(async () => {
    await (await client.query("SELECT * FROM tax.taxpayr")).collectToObjects();
  }, /tax\.taxpayer/);
  console.log(name, version);
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
