using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Extending;

/// <summary>A folder of a foreign assembly is a network family: its files are priors.</summary>
public sealed class NetworkPluginTests : IDisposable
{
    private static readonly NetworkCatalog Families = NetworkCatalog.With(SamplePlugin.Load());

    private readonly string _folder = Directory.CreateTempSubdirectory("diffusion-plugin-").FullName;

    [Fact]
    public void A_file_with_its_weights_is_recognised_and_loads_as_a_prior()
    {
        using ComputeScope scope = new();
        string file = Path.Combine(_folder, "wiener.safetensors");
        Dictionary<string, Tensor> weights = new()
        {
            ["mean.weight"] = torch.full([3, 1, 3, 3], 1 / 9f),
            ["detail"] = torch.tensor([0.01f, 0.02f, 0.04f]),
        };
        SafetensorsWriter.Write(file, weights);
        using IDenoiser prior = PriorLoader.Load(file, ComputePolicy.Reference, Families);
        Assert.Equal(3, prior.Info.ReceptiveField);
        Tensor x = torch.rand(2, 3, 6, 7) * 2 - 1,
            m = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(x, [1, 1, 1, 1], PaddingModes.Replicate), 3, 1);
        // Variances on [0,1] are a quarter of those on [-1,1].
        Tensor v = 4 * weights["detail"].reshape(1, 3, 1, 1);
        Assert.True(torch.allclose(m + v / (v + 0.09) * (x - m), prior.Denoise(x, 0.3), rtol: 1e-5, atol: 1e-6));
    }

    [Fact]
    public void Without_the_plug_in_the_same_file_is_unknown()
    {
        using ComputeScope scope = new();
        string file = Path.Combine(_folder, "wiener.safetensors");
        SafetensorsWriter.Write(
            file,
            new Dictionary<string, Tensor> { ["mean.weight"] = torch.ones(3, 1, 3, 3), ["detail"] = torch.ones(3) }
        );
        Assert.Throws<CheckpointException>(() => PriorLoader.Load(file, ComputePolicy.Reference));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
