using System.Reflection;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Imaging;

namespace Diffusion.EndToEnd;

/// <summary>What a plug-in's dll brings is used through the built command.</summary>
public sealed class PluginTests : IDisposable
{
    private static readonly string Plugin = typeof(PluginTests)
        .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(data => data.Key == "SamplePlugin")
        .Value!;

    private readonly Workspace _work = new();

    [Fact]
    public void An_operator_a_solver_and_a_network_of_a_plug_in_restore_a_picture_together()
    {
        TestPictures.Write(_work["photo.png"], 48, 64);
        SafetensorsWriter.Write(
            _work["wiener.safetensors"],
            new Dictionary<string, Tensor> { ["mean.weight"] = torch.full([3, 1, 3, 3], 1 / 9f), ["detail"] = torch.full([3], 0.002f) }
        );
        JsonNode summary = JsonNode.Parse(Run("checkpoints", "inspect", "wiener.safetensors", "--json").Expect(0).Output)!;
        Assert.Equal(("local-wiener", 3), ((string)summary["kind"]!, (int)summary["config"]!["window"]!));
        Assert.Contains("load as a prior", Run("checkpoints", "verify", "wiener.safetensors").Expect(0).Output);
        Run("degrade", "photo.png", "-A", "vignette:strength=0.8", "--noise", "0.05", "-o", "dark.tif").Expect(0);
        Run("restore", "dark.tif", "--prior", "wiener.safetensors", "-s", "pnp-ista", "-n", "12", "--set", "sigma=0.1", "-o", "bright.tif")
            .Expect(0);
        Assert.True(Error("bright.tif") < 0.5 * Error("dark.tif"), $"{Error("bright.tif")} after, {Error("dark.tif")} before.");
    }

    [Fact]
    public void What_a_plug_in_brings_is_listed()
    {
        Assert.Contains("pnp-ista", Run("solvers", "list").Expect(0).Output);
        Assert.Contains("gamma", Run("solvers", "show", "pnp-ista").Expect(0).Output);
        Assert.Contains("vignette", Run("operators", "list").Expect(0).Output);
    }

    public void Dispose() => _work.Dispose();

    private Outcome Run(params string[] args) => DiffusionCommand.Run(_work.Folder, [.. args, "--plugin", Plugin]);

    /// <summary>Root mean square difference from the clean picture.</summary>
    private double Error(string name)
    {
        using Picture clean = ImageFile.Read(_work["photo.png"]),
            other = ImageFile.Read(_work[name]);
        using Tensor error = (clean.Pixels - other.Pixels).square().mean().sqrt();
        return error.item<float>();
    }
}
