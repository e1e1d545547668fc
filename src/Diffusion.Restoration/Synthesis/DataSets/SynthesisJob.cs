using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Native;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Synthesis.DataSets;

/// <summary>
/// Makes the samples of a set. An item's files come first, its record last; the manifest follows when all items are there.
/// </summary>
/// <param name="files">The job's items; cancellation and failures are its.</param>
/// <param name="plan">The set.</param>
/// <param name="generator">What makes the samples; borrowed.</param>
public sealed class SynthesisJob(FileJob files, SetPlan plan, IDegradationGenerator generator)
{
    private readonly SetFolder _folder = plan.Folder;

    /// <summary>Items that are made at once, if the generator can do that.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>The depth map of a clean picture: a gray picture, black near and white far; null where it has none.</summary>
    public Func<string, string?> DepthFor { get; init; } = static _ => null;

    /// <summary>Told of each sample that is made: it, and its line in the manifest. On any thread.</summary>
    public Action<SetSample, JsonObject>? Made { get; init; }

    /// <summary>Told what a user may want to know about a clean picture: a sentence without a full stop. On any thread.</summary>
    public Action<SetSample, string>? Noted { get; init; }

    /// <summary>Makes what is still to be made.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; what is finished is kept.</exception>
    /// <exception cref="ResourceException">The disk is full; what is finished is kept.</exception>
    public void Run() => files.Run(Make, generator.IsConcurrent ? Workers : 1);

    private void Make(JobItem item)
    {
        (string name, IReadOnlyList<SetSample> samples) = plan.PartOf(item);
        Dictionary<string, FileSum> written = [];
        List<JsonObject> lines = [];
        if (plan.Options.Format == SetFormat.WebDataset)
        {
            byte[] tar = MakeTar(samples, lines);
            Write(name + ".tar", tar, written);
        }
        else
            foreach (SetSample sample in samples)
            {
                MadeSample made = Make(sample);
                Write(sample.CleanPath, made.Clean, written);
                Write(sample.DegradedPath, made.Degraded, written);
                made.Line["clean"] = sample.CleanPath;
                made.Line["degraded"] = sample.DegradedPath;
                lines.Add(made.Line);
            }
        _folder.Record(name, item.Settings, written, lines);
        foreach ((SetSample sample, JsonObject line) in samples.Zip(lines))
            Made?.Invoke(sample, line);
    }

    private void Write(string place, byte[] bytes, Dictionary<string, FileSum> written)
    {
        FileSum sum = FileSum.Of(bytes);
        string path = _folder.In(place);
        // The clean picture is there already when another of its samples is.
        if (!File.Exists(path) || FileSum.OfFile(path) != sum)
            OutputFile.Write(path, true, stream => stream.Write(bytes));
        written[place] = sum;
    }

    private byte[] MakeTar(IReadOnlyList<SetSample> samples, List<JsonObject> lines)
    {
        using MemoryStream memory = new();
        using (TarWriter tar = new(memory, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (SetSample sample in samples)
            {
                files.Cancellation.ThrowIfCancellationRequested();
                MadeSample made = Make(sample);
                lines.Add(made.Line);
                Add(tar, sample.Id + ".clean.png", made.Clean);
                Add(tar, sample.Id + ".degraded.png", made.Degraded);
                Add(tar, sample.Id + ".json", Encoding.UTF8.GetBytes(SetFolder.LineOf(made.Line)));
            }
        }
        return memory.ToArray();
    }

    // No clock and no user: equal samples make equal files.
    private static void Add(TarWriter tar, string name, byte[] bytes) =>
        tar.WriteEntry(
            new UstarTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = new MemoryStream(bytes),
                ModificationTime = DateTimeOffset.UnixEpoch,
                Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
            }
        );

    private MadeSample Make(SetSample sample)
    {
        using ComputeScope scope = new();
        // Renderers need libtorch for moments only, and hold by themselves; networks need it all the time.
        using FinalizerHold? whole = generator.IsConcurrent ? null : new FinalizerHold();
        (Tensor clean, Picture? map) = Read(sample);
        using Picture? depth = map;
        (Intensity asked, string? dataset) = plan.Options.Intensity.DrawWithDataset(sample.Kind, plan.Options.Seed, sample.Key);
        DegradationRequest request = new(sample.Kind, asked, plan.Options.Seed, sample.Key)
        {
            Depth = depth?.Pixels,
            Caption = CaptionOf(sample.Source.Path),
            Dataset = dataset,
        };
        using Synthesized result = generator.Generate(clean, request, files.Cancellation);
        using FinalizerHold hold = new();
        Tensor degraded = Round(result.Degraded);
        // Of the files' values: the generator's own may not have been rounded.
        Intensity measured = Intensity.Between(degraded, clean);
        byte[] cleanFile = Encode(clean),
            degradedFile = Encode(degraded);
        return new(cleanFile, degradedFile, LineOf(sample, request, measured, result.Note, clean, cleanFile, degradedFile));
    }

    private (Tensor Clean, Picture? Depth) Read(SetSample sample)
    {
        using FinalizerHold hold = new();
        using Picture picture = ImageFile.Read(sample.Source.Path);
        if (sample.Index == 0)
            foreach (string note in picture.Notes)
                Noted?.Invoke(sample, note);
        return (
            Round(generator.Clean(Color.ToRgb(picture.Pixels))),
            DepthFor(sample.Source.Path) is { } map ? ReadDepth(map, picture) : null
        );
    }

    private JsonObject LineOf(
        SetSample sample,
        DegradationRequest request,
        Intensity measured,
        string? note,
        Tensor clean,
        byte[] cleanFile,
        byte[] degradedFile
    ) =>
        new()
        {
            ["schema"] = SetFolder.Schema,
            ["id"] = sample.Id,
            ["degradation"] = DegradationKinds.NameOf(sample.Kind),
            ["index"] = sample.Index,
            ["source"] = sample.Source.Name,
            ["source_sha256"] = sample.Source.Sha256,
            ["depth_sha256"] = sample.Source.DepthSha256,
            ["seed"] = plan.Options.Seed,
            ["key"] = sample.Key,
            ["intensity"] = plan.Options.Intensity.ToString(),
            ["intensity_of"] = request.Dataset,
            ["caption"] = request.Caption,
            ["mu_asked"] = Math.Round(request.Intensity.Mu, 6),
            ["sigma_asked"] = Math.Round(request.Intensity.Sigma, 6),
            ["mu"] = Math.Round(measured.Mu, 6),
            ["sigma"] = Math.Round(measured.Sigma, 6),
            ["note"] = note,
            ["generator"] = plan.Options.Generator,
            ["height"] = clean.shape[2],
            ["width"] = clean.shape[3],
            ["clean_sha256"] = FileSum.Of(cleanFile).Sha256,
            ["degraded_sha256"] = FileSum.Of(degradedFile).Sha256,
            ["versions"] = new JsonObject(Versions.Current.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
        };

    private static Picture ReadDepth(string map, Picture clean)
    {
        using Picture read = ImageFile.Read(map);
        if (read.Height != clean.Height || read.Width != clean.Width)
            throw new ImageException(
                $"The depth map is {read.Width}x{read.Height} pixels, its picture {clean.Width}x{clean.Height}",
                map,
                "Resize it"
            );
        return new Picture(read.Pixels.mean([1], keepdim: true));
    }

    // What a picture shows stands in a text file of its name, as sets with captions have it.
    private static string? CaptionOf(string picture)
    {
        string file = Path.ChangeExtension(picture, ".txt");
        return File.Exists(file) && File.ReadLines(file).FirstOrDefault(line => line.Trim().Length > 0) is { } line ? line.Trim() : null;
    }

    private static Tensor Round(Tensor picture) => (picture.clamp(0, 1) * 255 + 0.5).floor() / 255;

    private static byte[] Encode(Tensor picture)
    {
        using MemoryStream memory = new();
        ImageFile.Write(memory, picture, ImageFormat.Png, new WriteOptions { BitDepth = 8 });
        return memory.ToArray();
    }

    private sealed record MadeSample(byte[] Clean, byte[] Degraded, JsonObject Line);
}
