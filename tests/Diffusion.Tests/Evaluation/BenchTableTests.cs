using Diffusion.Evaluation;
using Diffusion.Metrics;
using Diffusion.Runtime;

namespace Diffusion.Tests.Evaluation;

/// <summary>The table that a benchmark fills.</summary>
public sealed class BenchTableTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bench").FullName;

    private string TablePath => Path.Combine(_folder, "results.csv");

    private static BenchRow Row(
        string picture,
        string method = "dpir",
        double psnr = 25.125,
        BenchRole role = BenchRole.Solver,
        ulong seed = 0
    ) =>
        new(
            new BenchCell
            {
                Picture = picture,
                PictureSha = "abc",
                Size = "native",
                Operator = "mask:random=0.8,seed=1|blur:kernel=\"a \"\"b\"\", c.png\"",
                Noise = 0.1 / 3,
                Seed = seed,
                Border = 0,
                Method = method,
                Steps = role == BenchRole.Solver ? 4 : null,
            },
            role,
            new PictureMetrics
            {
                Psnr = psnr,
                Ssim = null,
                PsnrY = 1.0 / 3,
                Niqe = 4.5,
                Gmsd = 0.1,
            },
            null,
            4,
            0.25,
            123.4
        )
        {
            Height = 30,
            Width = 20,
            Threads = 2,
            Version = "1.0",
        };

    [Fact]
    public void Rows_come_back_as_they_were()
    {
        BenchRow[] rows =
        [
            Row("a,\"b\".png"),
            Row("ü.png", psnr: double.PositiveInfinity),
            Row("c.png", "bicubic", role: BenchRole.Reference, seed: ulong.MaxValue),
        ];
        using (BenchTable table = BenchTable.Open(TablePath))
            foreach (BenchRow row in rows)
                table.Append(row);
        using BenchTable again = BenchTable.Open(TablePath);
        Assert.Equal(rows, again.Rows);
        Assert.All(rows, row => Assert.True(again.Has(row.Cell)));
        Assert.False(again.Has(rows[0].Cell with { Steps = 8 }));
        Assert.False(again.Has(rows[0].Cell with { PictureSha = "other" }));
    }

    [Fact]
    public void A_row_is_in_the_file_before_the_table_is_closed()
    {
        using BenchTable table = BenchTable.Open(TablePath);
        table.Append(Row("a.png"));
        using StreamReader reader = new(new FileStream(TablePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        Assert.Equal(2, reader.ReadToEnd().Count(c => c == '\n'));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(40)]
    public void A_row_that_was_cut_off_is_forgotten_and_the_others_stay(int cut)
    {
        using (BenchTable table = BenchTable.Open(TablePath))
        {
            table.Append(Row("a.png"));
            table.Append(Row("b.png"));
        }
        using (FileStream file = File.OpenWrite(TablePath))
            file.SetLength(file.Length - cut);
        using (BenchTable table = BenchTable.Open(TablePath))
        {
            Assert.Equal("a.png", Assert.Single(table.Rows).Cell.Picture);
            table.Append(Row("b.png"));
        }
        using BenchTable again = BenchTable.Open(TablePath);
        Assert.Equal(["a.png", "b.png"], again.Rows.Select(row => row.Cell.Picture));
    }

    [Fact]
    public void Another_table_is_not_overwritten_unless_asked()
    {
        File.WriteAllText(TablePath, "name,value\nx,1\n");
        Assert.Contains("other columns", Assert.Throws<DiffusionException>(() => BenchTable.Open(TablePath)).Message);
        Assert.Equal("name,value\nx,1\n", File.ReadAllText(TablePath));
        using BenchTable anew = BenchTable.Open(TablePath, anew: true);
        Assert.Empty(anew.Rows);
    }

    [Fact]
    public void A_table_without_the_newer_columns_is_read_and_brought_up_to_date()
    {
        BenchRow plain = Row("a.png");
        BenchRow[] rows =
        [
            plain with
            {
                Cell = plain.Cell with { Operator = "identity" },
            },
            plain with
            {
                Cell = plain.Cell with { Operator = "blur" },
            },
        ];
        using (BenchTable table = BenchTable.Open(TablePath))
            foreach (BenchRow row in rows)
                table.Append(row);
        string[] lines = File.ReadAllLines(TablePath),
            names = lines[0].Split(',');
        int[] kept = [.. names.Index().Where(column => column.Item is not ("margin" or "lpips")).Select(column => column.Index)];
        File.WriteAllLines(TablePath, lines.Select(line => string.Join(',', kept.Select(i => line.Split(',')[i]))));
        using (BenchTable table = BenchTable.Open(TablePath))
            Assert.Equal(rows, table.Rows);
        Assert.Equal(lines, File.ReadAllLines(TablePath));
    }

    [Fact]
    public async Task Parquet_has_the_rows_with_types_and_nulls()
    {
        using MemoryStream memory = new();
        BenchParquet.Write(memory, [Row("a.png"), Row("b.png", "bicubic", 30, BenchRole.Reference, ulong.MaxValue)]);
        memory.Position = 0;
        await using Parquet.ParquetReader reader = await Parquet.ParquetReader.CreateAsync(memory);
        BenchTable.Open(TablePath).Dispose();
        Assert.Equal(File.ReadAllLines(TablePath)[0].Split(','), reader.Schema.GetDataFields().Select(field => field.Name));
        using Parquet.ParquetRowGroupReader group = reader.OpenRowGroupReader(0);
        double?[] psnr = new double?[2];
        await group.ReadAsync(reader.Schema.FindDataField("psnr"), psnr.AsMemory());
        Assert.Equal([25.125, 30], psnr);
        int?[] steps = new int?[2];
        await group.ReadAsync(reader.Schema.FindDataField("steps"), steps.AsMemory());
        Assert.Equal([4, null], steps);
        ulong?[] seeds = new ulong?[2];
        await group.ReadAsync(reader.Schema.FindDataField("seed"), seeds.AsMemory());
        Assert.Equal([0, ulong.MaxValue], seeds);
    }

    [Fact]
    public void A_damaged_line_is_named()
    {
        BenchTable.Open(TablePath).Dispose();
        File.AppendAllText(TablePath, "a,b\n");
        Assert.Contains("Line 2", Assert.Throws<DiffusionException>(() => BenchTable.Open(TablePath)).Message);
    }

    [Fact]
    public void Two_benchmarks_do_not_share_a_table()
    {
        using BenchTable first = BenchTable.Open(TablePath);
        Assert.Contains("another benchmark", Assert.Throws<DiffusionException>(() => BenchTable.Open(TablePath)).Message);
    }

    [Fact]
    public void Gains_are_paired_by_picture_and_seed()
    {
        BenchRow[] rows =
        [
            Row("a.png", "bicubic", 20, BenchRole.Reference),
            Row("b.png", "bicubic", 30, BenchRole.Reference),
            Row("a.png", "dpir", 22),
            Row("b.png", "dpir", 29),
            Row("a.png", "bicubic", 21, BenchRole.Reference, seed: 1),
            Row("a.png", "dpir", 24, seed: 1),
        ];
        BenchGroup group = Assert.Single(BenchSummary.Of(rows));
        Assert.Equal(("bicubic", 2), (group.Reference, group.Pictures));
        BenchLine line = group.Lines[^1];
        Assert.Equal(25, line.Psnr);
        // a: +2 and +3, b: -1.
        Assert.Equal(0.75, line.Gain!.Value, 12);
        Assert.Equal(3.5 / Math.Sqrt(2), line.GainDeviation!.Value, 12);
        Assert.Equal(1, line.Improved);
        // Means of the seeds: 25.5 and 24.
        Assert.Equal(1.5 / Math.Sqrt(2), line.SeedDeviation!.Value, 12);
        Assert.Null(group.Lines[0].Gain);
        string markdown = BenchMarkdown.Write([group], "Test");
        Assert.Contains("| dpir |", markdown);
        Assert.Contains("+0.75", markdown);
        Assert.Contains("1/2", markdown);
        Assert.Contains("seed=1\\|blur", BenchMarkdown.Write([group with { Lines = [line with { Method = "seed=1|blur" }] }], "Test"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
