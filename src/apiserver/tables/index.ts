export {
  type ColumnDefinition,
  type PartialObjectMetadata,
  partialObjectMetadata,
  type Table,
  type TableOptions,
  type TableRow,
  tableOf,
} from "./table.js";
