using Diffusion.Imaging;
using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Tests.Models;

/// <summary>The prior that ships.</summary>
internal static class PhotoPrior
{
    public static string Folder { get; } = Path.Combine(TestPaths.Repository, "checkpoints", "photo");

    public static VpPrior Load(ComputePolicy? policy = null) => (VpPrior)PriorLoader.Load(Folder, policy ?? new ComputePolicy());

    /// <summary>A smooth picture on [-1,1].</summary>
    public static Tensor Smooth(int height, int width)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor rows = torch.linspace(0, 4, height).reshape(1, 1, height, 1),
            columns = torch.linspace(0, 5, width).reshape(1, 1, 1, width),
            phase = torch.tensor([0f, 1f, 2f]).reshape(1, 3, 1, 1);
        return (0.7 * (rows + columns * 0.6 + phase).sin()).MoveToOuterDisposeScope();
    }

    /// <summary>The middle of a bundled photograph on [-1,1].</summary>
    public static Tensor Photograph(int height, int width)
    {
        using Picture photo = ImageFile.Read(Path.Combine(TestPaths.Repository, "src", "Diffusion.Cli", "demo", "cat.png"));
        Assert.True(photo.Height >= height && photo.Width >= width);
        return photo.Pixels.narrow(2, (photo.Height - height) / 2, height).narrow(3, (photo.Width - width) / 2, width) * 2 - 1;
    }

    public static Tensor Noise(params long[] shape) =>
        new PhiloxNoise(5, [.. Enumerable.Range(0, (int)shape[0]).Select(i => new ImageKey((ulong)i))]).Draw(NoiseRole.Start, shape);
}
