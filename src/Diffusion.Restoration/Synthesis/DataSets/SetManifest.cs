using System.Text;
using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Parquet.Schema;
using Parquet.Serialization;

namespace Diffusion.Synthesis.DataSets;

/// <summary>
/// The lists of a set, made from its records: <c>manifest.jsonl</c>, a line a sample, and for Hugging Face <c>metadata.parquet</c>.
/// </summary>
public static class SetManifest
{
    /// <summary>The list that every set has.</summary>
    public const string Lines = "manifest.jsonl";

    /// <summary>The list that Hugging Face's image folders are read by.</summary>
    public const string Parquet = "metadata.parquet";

    private static readonly TimeSpan Young = TimeSpan.FromSeconds(2);

    /// <summary>Columns of the Parquet file: where they stand in a line, and what type they are.</summary>
    private static readonly (string Column, string Key, Type Type)[] Columns =
    [
        ("degraded_file_name", "degraded", typeof(string)),
        ("clean_file_name", "clean", typeof(string)),
        ("id", "id", typeof(string)),
        ("degradation", "degradation", typeof(string)),
        ("mu", "mu", typeof(double)),
        ("sigma", "sigma", typeof(double)),
        ("mu_asked", "mu_asked", typeof(double)),
        ("sigma_asked", "sigma_asked", typeof(double)),
        ("caption", "caption", typeof(string)),
        ("note", "note", typeof(string)),
        ("generator", "generator", typeof(string)),
        ("seed", "seed", typeof(string)),
        ("key", "key", typeof(string)),
        ("source", "source", typeof(string)),
        ("source_sha256", "source_sha256", typeof(string)),
        ("height", "height", typeof(int)),
        ("width", "width", typeof(int)),
        ("clean_sha256", "clean_sha256", typeof(string)),
        ("degraded_sha256", "degraded_sha256", typeof(string)),
    ];

    /// <summary>
    /// Writes the lists if every item has its record, and clears away what killed runs left. Several processes may do so at once: they
    /// write the same.
    /// </summary>
    /// <returns>Whether the set is whole.</returns>
    public static bool Close(SetPlan plan)
    {
        SetFolder folder = plan.Folder;
        HashSet<string> there = [.. folder.RecordNames()];
        string[] wanted = [.. plan.Items.Select(item => plan.PartOf(item).Name)];
        if (!wanted.All(there.Contains))
            return false;
        if (plan.Options.Format == SetFormat.WebDataset)
            foreach (string old in there.Except(wanted))
            {
                // Of a longer list of pictures.
                File.Delete(folder.In(old + ".tar"));
                File.Delete(folder.RecordOf(old));
            }
        // Another process may finish an item of another list of pictures while this one writes.
        for (int count = -1; count != folder.RecordNames().Count; )
        {
            IReadOnlyList<string> names = folder.RecordNames();
            count = names.Count;
            JsonObject[] samples = [.. names.Select(folder.Find).OfType<SetRecord>().SelectMany(record => record.Samples)];
            OutputFile.Write(folder.In(Lines), true, stream =>
            {
                foreach (JsonObject sample in samples)
                    stream.Write(Encoding.UTF8.GetBytes(SetFolder.LineOf(sample) + "\n"));
            });
            if (plan.Options.Format == SetFormat.Hf)
                OutputFile.Write(folder.In(Parquet), true, stream => stream.Write(ToParquet(samples)));
        }
        Sweep(folder);
        return true;
    }

    private static byte[] ToParquet(IReadOnlyList<JsonObject> samples)
    {
        ParquetSchema schema = new([.. Columns.Select(column => new DataField(column.Column, column.Type, isNullable: true))]);
        List<IDictionary<string, object?>> rows =
        [
            .. samples.Select(sample =>
                (IDictionary<string, object?>)
                    Columns.ToDictionary(column => column.Column, column => Value(sample[column.Key], column.Type))
            ),
        ];
        using MemoryStream memory = new();
        ParquetSerializer.SerializeUntypedAsync(rows!, schema, memory).GetAwaiter().GetResult();
        return memory.ToArray();
    }

    /// <summary>The samples' names in a Parquet list, in its order; empty where it cannot be read.</summary>
    internal static IReadOnlyList<string> ReadIds(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            return
            [
                .. ParquetSerializer
                    .DeserializeUntypedAsync(stream)
                    .GetAwaiter()
                    .GetResult()
                    .Data.Select(row => row["id"]?.ToString() ?? ""),
            ];
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or NotSupportedException or ArgumentException)
        {
            return [];
        }
    }

    private static object? Value(JsonNode? node, Type type) =>
        node is null ? null
        : type == typeof(double) ? (double)node
        : type == typeof(int) ? (int)node
        : node.ToString();

    // A file that is being written is held by its writer, all but for the moment between the last byte and its name.
    private static void Sweep(SetFolder folder)
    {
        foreach (
            string file in Directory
                .EnumerateFiles(folder.Path, ".*.tmp", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
                .ToArray()
        )
        {
            try
            {
                while (IsFree(file) && DateTime.UtcNow - File.GetLastWriteTimeUtc(file) is var age && age < Young)
                    Thread.Sleep(Young - age);
                if (IsFree(file))
                    File.Delete(file);
            }
            catch (IOException)
            {
                // Its writer gave it its name meanwhile.
            }
        }
    }

    private static bool IsFree(string file)
    {
        if (!File.Exists(file))
            return false;
        try
        {
            using FileStream probe = new(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
