using System.Diagnostics;
using System.Text.Json.Nodes;
using Diffusion.Synthesis.DataSets;
using DuckDB.NET.Data;

namespace Diffusion.Tests.Synthesis;

/// <summary>Sets are read by programs that are not ours: DuckDB, GNU tar, Python's tarfile.</summary>
public sealed class SetReaderTests : IDisposable
{
    private readonly SetWorkspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void DuckDb_reads_the_parquet_list_as_the_manifest_has_it()
    {
        SetPlan plan = _workspace.Make("set", SetWorkspace.Options(SetFormat.Hf));
        JsonObject[] lines = [.. File.ReadAllLines(plan.Folder.In(SetManifest.Lines)).Select(line => JsonNode.Parse(line)!.AsObject())];
        using DuckDBConnection connection = new("DataSource=:memory:");
        connection.Open();
        using DuckDBCommand command = connection.CreateCommand();
        command.CommandText =
            "select id, degraded_file_name, clean_file_name, degradation, mu, sigma, mu_asked, note, height, seed, source_sha256 from "
            + $"read_parquet('{plan.Folder.In(SetManifest.Parquet).Replace("'", "''")}')";
        using DuckDBDataReader reader = command.ExecuteReader();
        int row = 0;
        for (; reader.Read(); row++)
        {
            JsonObject line = lines[row];
            Assert.Equal((string)line["id"]!, reader.GetString(0));
            Assert.Equal((string)line["degraded"]!, reader.GetString(1));
            Assert.True(File.Exists(plan.Folder.In(reader.GetString(1))));
            Assert.True(File.Exists(plan.Folder.In(reader.GetString(2))));
            Assert.Equal((string)line["degradation"]!, reader.GetString(3));
            Assert.Equal((double)line["mu"]!, reader.GetDouble(4));
            Assert.Equal((double)line["sigma"]!, reader.GetDouble(5));
            Assert.Equal((double)line["mu_asked"]!, reader.GetDouble(6));
            Assert.Equal(line["note"]?.ToString(), reader.IsDBNull(7) ? null : reader.GetString(7));
            Assert.Equal((int)line["height"]!, reader.GetInt32(8));
            Assert.Equal("0", reader.GetString(9));
            Assert.Equal((string)line["source_sha256"]!, reader.GetString(10));
        }
        Assert.Equal(12, row);
    }

    [Fact]
    public void Gnu_tar_lists_and_unpacks_the_shards()
    {
        SetPlan plan = _workspace.Make("set", SetWorkspace.Options(SetFormat.WebDataset));
        string[] tars = Directory.GetFiles(plan.Folder.Path, "*.tar");
        Assert.Equal(3, tars.Length);
        string unpacked = Directory.CreateDirectory(_workspace["unpacked"]).FullName;
        foreach (string tar in tars)
            Assert.Equal("", Tar("-x", "-f", tar, "-C", unpacked));
        Assert.Equal(36, Directory.GetFiles(unpacked).Length);
        foreach (JsonObject line in File.ReadAllLines(plan.Folder.In(SetManifest.Lines)).Select(line => JsonNode.Parse(line)!.AsObject()))
        {
            string stem = Path.Combine(unpacked, (string)line["id"]!);
            Assert.Equal((string)line["clean_sha256"]!, FileSum.OfFile(stem + ".clean.png").Sha256);
            Assert.Equal((string)line["degraded_sha256"]!, FileSum.OfFile(stem + ".degraded.png").Sha256);
            Assert.True(JsonNode.DeepEquals(line, JsonNode.Parse(File.ReadAllText(stem + ".json"))));
        }
    }

    [Fact]
    public void Pythons_tarfile_reads_samples_one_after_the_other()
    {
        SetPlan plan = _workspace.Make("set", SetWorkspace.Options(SetFormat.WebDataset));
        const string Script = """
            import hashlib, json, sys, tarfile
            samples = {}
            for name in sys.argv[1:]:
                previous = None
                with tarfile.open(name, "r|") as tar:
                    for member in tar:
                        key, kind = member.name.split(".", 1)
                        assert member.isfile() and member.mtime == 0 and member.uid == 0 and member.mode == 0o644
                        # WebDataset takes what follows each other under one name for a sample.
                        assert key == previous or key not in samples
                        samples.setdefault(key, {})[kind] = tar.extractfile(member).read()
                        previous = key
            for key, sample in sorted(samples.items()):
                line = json.loads(sample["json"])
                assert line["id"] == key and sorted(sample) == ["clean.png", "degraded.png", "json"]
                assert hashlib.sha256(sample["degraded.png"]).hexdigest() == line["degraded_sha256"]
                assert sample["clean.png"][:8] == b"\x89PNG\r\n\x1a\n"
            print(len(samples))
            """;
        Assert.Equal("12", DebianPython.Run("tarfile", Script, Directory.GetFiles(plan.Folder.Path, "*.tar")).Trim());
    }

    private static string Tar(params string[] arguments)
    {
        ProcessStartInfo start = new("tar", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using Process process = Process.Start(start)!;
            string said = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
            return said;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("There is no tar here.");
            throw;
        }
    }
}
