import { type BasicType, type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import type { ColumnType, Table } from "./analysis-tables.ts";

const TYPES: Record<ColumnType, BasicType> = { text: "STRING", integer: "INT32", number: "DOUBLE", boolean: "BOOLEAN", time: "TIMESTAMP" };

/** A table as Apache Parquet, Snappy-compressed; times are UTC timestamps in milliseconds. Every column may be null. */
export function parquetBytes({ columns, rows }: Table): Uint8Array {
  const columnData = columns.map(({ name, type }, i): ColumnSource => {
    const cells = rows.map((row) => row[i]);
    const data = type === "time" ? cells.map((cell) => (cell === null ? null : new Date(Number(cell) * 1000))) : cells;
    return { name, type: TYPES[type], nullable: true, data };
  });
  return new Uint8Array(parquetWriteBuffer({ columnData, createdBy: "tracelet" }));
}
