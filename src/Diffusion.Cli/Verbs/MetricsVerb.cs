using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Diffusion.Cli.Options;
using Diffusion.Cli.Restoring;
using Diffusion.Cli.Shell;
using Diffusion.Imaging;
using Diffusion.Metrics;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Spectre.Console;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion metrics</c>: restored pictures against clean ones.</summary>
internal sealed class MetricsVerb : Verb
{
    private readonly Argument<string> _restored,
        _reference;
    private readonly Option<int?> _border;
    private readonly Option<bool> _float;
    private readonly ReadingOptions _reading;

    public MetricsVerb()
        : base("metrics", "Compare restored pictures with clean ones: PSNR, SSIM, PSNR-Y, NIQE, GMSD")
    {
        _restored = Take(new Argument<string>("restored") { HelpName = "RESTORED", Description = "A picture, or a folder of pictures" });
        _reference = Take(
            new Argument<string>("reference")
            {
                HelpName = "REFERENCE",
                Description = "The clean picture, or a folder with files of the same names",
            }
        );
        _border = Take(
            new Option<int?>("--border")
            {
                HelpName = "N",
                Description = "Pixels to leave out on each side",
                CustomParser = Values.AtLeast(0, "pixels"),
            }
        );
        _float = Take(new Option<bool>("--float") { Description = "Compare unquantised values instead of those of 8-bit files" });
        _reading = new ReadingOptions().AddTo(this, depth: false);
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion metrics restored.png photo.png",
            "diffusion metrics restored/ photos/ --border 4",
            "diffusion metrics restored.tif photo.png --float --json",
        ];

    public override ExitCode Run(Session session)
    {
        MeasurementOptions reading = _reading.Of(session);
        IReadOnlyList<string> restored = InputFiles.Expand([session.Get(_restored)], ".npz", ".npy");
        References references = new(session.Get(_reference), restored);
        (string File, string Reference)[] pairs = [.. restored.Select(file => (file, references.For(file)!))];
        List<(string Name, PictureMetrics Metrics)> rows = [];
        FileJob job = JobConsole.Watched(session, [.. pairs.Select(pair => new JobItem(pair.File, pair.Reference, () => []))]);
        job.Run(item =>
        {
            bool isSeveral = reading.Pages is { IsSeveral: true };
            IReadOnlyList<int?> pages = Measurement.PagesOf(item.Input, reading);
            foreach (int? page in pages)
            {
                string name = isSeveral ? $"{item.Input} page {page}" : item.Input;
                using Measurement picture = ComparedPicture.Read(item.Input, reading with { Page = page }),
                    clean = ComparedPicture.Read(item.Output, reading with { Page = page });
                PictureMetrics metrics = PictureScores.Of(picture.Y, clean.Y, name, session.Get(_border) ?? 0, !session.Get(_float));
                rows.Add((name, metrics));
                if (session.Terminal.Json)
                    PrintJson(session.Terminal, name, metrics);
            }
        });
        ExitCode code = JobConsole.Finish(session, job);
        if (rows.Count > 1)
            rows.Add(("mean", PictureScores.Mean([.. rows.Select(row => row.Metrics)])));
        if (session.Terminal.Json && rows.Count > 1)
            PrintJson(session.Terminal, "mean", rows[^1].Metrics);
        if (!session.Terminal.Json && rows.Count > 0)
            PrintTable(session.Terminal, rows);
        return code;
    }

    private static void PrintJson(Terminal terminal, string name, PictureMetrics metrics)
    {
        JsonObject json = new() { ["file"] = name };
        foreach ((string key, JsonNode? value) in metrics.ToJson())
            json[key] = value?.DeepClone();
        terminal.PrintJson(json);
    }

    private static void PrintTable(Terminal terminal, IReadOnlyList<(string Name, PictureMetrics Metrics)> rows)
    {
        Table table = new();
        table.AddColumn("file");
        foreach (string column in (string[])["PSNR", "SSIM", "PSNR-Y", "NIQE", "GMSD"])
            table.AddColumn(new TableColumn(column).RightAligned());
        foreach ((string name, PictureMetrics m) in rows)
            table.AddRow([
                .. (
                    (string[])
                        [
                            name,
                            Number(m.Psnr, "0.00"),
                            Number(m.Ssim, "0.0000"),
                            Number(m.PsnrY, "0.00"),
                            Number(m.Niqe, "0.00"),
                            Number(m.Gmsd, "0.0000"),
                        ]
                ).Select(Markup.Escape),
            ]);
        terminal.Print(table);
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";
}
