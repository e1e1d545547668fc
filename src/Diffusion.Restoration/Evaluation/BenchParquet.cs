using System.Globalization;
using Parquet.Schema;
using Parquet.Serialization;

namespace Diffusion.Evaluation;

/// <summary>Writes the rows of a benchmark as Parquet, with the columns of the CSV table; what is empty there is null here.</summary>
public static class BenchParquet
{
    /// <summary>Writes.</summary>
    /// <param name="stream">Borrowed.</param>
    /// <param name="rows">The rows.</param>
    public static void Write(Stream stream, IReadOnlyList<BenchRow> rows)
    {
        ParquetSchema schema = new([.. BenchColumns.All.Select(column => new DataField(column.Name, column.Type, isNullable: true))]);
        List<IDictionary<string, object?>> records =
        [
            .. rows.Select(row =>
                (IDictionary<string, object?>)
                    BenchColumns
                        .All.Zip(BenchColumns.Write(row))
                        .ToDictionary(
                            pair => pair.First.Name,
                            pair =>
                                pair.Second.Length == 0
                                    ? null
                                    : Convert.ChangeType(pair.Second, pair.First.Type, CultureInfo.InvariantCulture)
                        )
            ),
        ];
        using MemoryStream memory = new();
        ParquetSerializer.SerializeUntypedAsync(records!, schema, memory).GetAwaiter().GetResult();
        memory.Position = 0;
        memory.CopyTo(stream);
    }
}
