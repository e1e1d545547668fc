using Diffusion.Runtime;

namespace Diffusion.Tests;

public sealed class FileTensorTests
{
    [Fact]
    public void A_tensor_in_a_file_is_a_tensor_like_any_other_and_leaves_nothing_behind()
    {
        using ComputeScope scope = new();
        string[] before = Leftovers();
        Tensor x = FileTensor.InFile(1, 3, 20, 30)!;
        x.copy_(torch.arange(1800, ScalarType.Float32).reshape(1, 3, 20, 30));
        Assert.Equal(1799 * 1800 / 2, x.sum().item<float>());
        Assert.Equal(20 * 30 + 5 * 30 + 7, x[0, 1, 5, 7].item<float>());
        Assert.Equal(before, Leftovers());

        static string[] Leftovers() => [.. Directory.GetFiles(Path.GetTempPath(), "diffusion-*.tmp").Order()];
    }

    [Fact]
    public void A_disk_without_room_is_told_before_anything_is_written()
    {
        using ComputeScope scope = new();
        Assert.Null(FileTensor.InFile(1L << 50));
    }

    [Fact]
    public void Large_tensors_have_their_shape()
    {
        using ComputeScope scope = new();
        Tensor x = FileTensor.Empty(1, 3, 4200, 4200);
        Assert.Equal([1, 3, 4200, 4200], x.shape);
        x[0, 2, 4199, 4199] = 7;
        Assert.Equal(7, x[0, 2, 4199, 4199].item<float>());
    }
}
