using Diffusion.Imaging;
using Diffusion.Pipeline;
using Diffusion.Runtime;
using Diffusion.Synthesis;
using Diffusion.Synthesis.DataSets;
using Diffusion.Synthesis.Intensities;
using Diffusion.Synthesis.Rendering;

namespace Diffusion.Tests.Synthesis;

/// <summary>A folder with a few small pictures, and sets that are made of them.</summary>
internal sealed class SetWorkspace : IDisposable
{
    public SetWorkspace(int pictures = 3)
    {
        string photos = Directory.CreateDirectory(this["photos"]).FullName;
        Photos = [.. Enumerable.Range(0, pictures).Select(i => Path.Combine(photos, $"photo {i}.png"))];
        foreach ((string file, int i) in Photos.Select((file, i) => (file, i)))
        {
            using Tensor scene = TestScene.Draw(40 + 8 * i, 56, i);
            ImageFile.Write(file, scene);
        }
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("sets").FullName;

    public string[] Photos { get; }

    public string this[string name] => Path.Combine(Folder, name);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    public static SetOptions Options(SetFormat format = SetFormat.Folders, ulong seed = 0, int perImage = 2) =>
        new()
        {
            Kinds = [DegradationKind.Haze, DegradationKind.LowLight],
            Intensity = IntensitySource.Parse("level=0.2..0.8"),
            Generator = "rendered",
            PerImage = perImage,
            Seed = seed,
            Format = format,
            PerShard = 4,
        };

    /// <summary>Makes a set, or a part of one, and closes it if it is whole.</summary>
    public SetPlan Make(
        string name,
        SetOptions options,
        Shard? shard = null,
        bool resume = false,
        int workers = 1,
        IEnumerable<string>? photos = null,
        IDegradationGenerator? generator = null,
        Action<SetSample>? made = null,
        CancellationToken cancellation = default
    )
    {
        IReadOnlyList<SetSource> sources = SetPlan.Hash([.. photos ?? Photos], _ => null, (_, _) => { });
        SetFolder folder = new(this[name]);
        folder.Open(options, sources, resume || shard is not null);
        SetPlan plan = new(options, folder, sources);
        FileJob files = new(plan.Items, shard, resume || shard is not null ? plan.IsComplete : null) { Cancellation = cancellation };
        using RenderedGenerator rendered = new();
        new SynthesisJob(files, plan, generator ?? rendered) { Workers = workers, Made = (sample, _) => made?.Invoke(sample) }.Run();
        SetManifest.Close(plan);
        return plan;
    }

    /// <summary>Every file below a folder with its content's hash.</summary>
    public SortedDictionary<string, string> Hashes(string name) =>
        new(
            Directory
                .EnumerateFiles(this[name], "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
                .ToDictionary(file => Path.GetRelativePath(this[name], file), file => FileSum.OfFile(file).Sha256),
            StringComparer.Ordinal
        );
}

/// <summary>A scene with a sky, ground, edges and texture.</summary>
internal static class TestScene
{
    /// <summary>[1,3,H,W] on [0,1], on the grid of 8 bits.</summary>
    public static Tensor Draw(int height, int width, int seed = 0)
    {
        using ComputeScope scope = new();
        Tensor y = torch.linspace(0, 1, height).reshape(1, 1, height, 1),
            x = torch.linspace(0, 1, width).reshape(1, 1, 1, width);
        Tensor noise = new PhiloxNoise((ulong)seed, [ImageKey.FromName("scene")]).Draw(NoiseRole.Start, 1, 3, height, width);
        Tensor stripes = (x * (19 + seed) + y * 7).sin() * 0.25,
            blocks = ((x * 6 + seed).floor() + (y * 5).floor()).remainder(2) * 0.3;
        Tensor tint = torch.tensor(new[] { 0.45f, 0.4f, 0.5f }).reshape(1, 3, 1, 1);
        Tensor picture = tint + stripes * y + blocks * (1 - y) - 0.2 * y + 0.03 * noise;
        return scope.Return((picture.clamp(0, 1) * 255).round() / 255);
    }
}
