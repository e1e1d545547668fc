using Diffusion.Checkpoints;
using static Diffusion.Tests.Checkpoints.PyTorchFile;

namespace Diffusion.Tests.Checkpoints;

/// <summary>PyTorch's format before 1.6, sound and hostile.</summary>
public sealed class PyTorchLegacyTests
{
    private static readonly Entries TwoTensors = new(("a", Vector("9", 4, legacy: true)), ("b", Vector("7", 2, legacy: true)));

    [Fact]
    public void Storages_are_found_in_the_order_of_the_list()
    {
        using Scratch scratch = new();
        using ICheckpoint file = Checkpoint.Open(scratch.File("m.pth", Legacy(TwoTensors, ("7", 2, Floats(2)), ("9", 4, Floats(4)))));
        Assert.Equal("pytorch-legacy", file.Format);
        using Tensor a = file.Tensors["a"].Read(),
            b = file.Tensors["b"].Read();
        Assert.Equal([0, 1, 2, 3], a.data<float>().ToArray());
        Assert.Equal([0, 1], b.data<float>().ToArray());
    }

    [Fact]
    public void Missing_storage() => HostileFile.MustFail(Legacy(TwoTensors, ("9", 4, Floats(4))), "Missing storage 7");

    [Fact]
    public void Storage_of_another_count() =>
        HostileFile.MustFail(Legacy(TwoTensors, ("9", 3, Floats(3)), ("7", 2, Floats(2))), "has 3 elements but 4 are declared");

    [Fact]
    public void Truncated_storage() =>
        HostileFile.MustFail(Legacy(TwoTensors, ("9", 4, Floats(4)), ("7", 2, Floats(1))), "Truncated storage");

    [Fact]
    public void Storage_listed_twice() =>
        HostileFile.MustFail(Legacy(TwoTensors, ("9", 4, Floats(4)), ("9", 4, Floats(4))), "listed twice");

    [Fact]
    public void Storage_that_no_tensor_has() => HostileFile.MustFail(Legacy(TwoTensors, ("1", 4, Floats(4))), "no tensor has");

    [Fact]
    public void Storage_declared_in_two_ways() =>
        HostileFile.MustFail(
            Legacy(new Entries(("a", Vector("9", 4, legacy: true)), ("b", Vector("9", 3, legacy: true))), ("9", 4, Floats(4))),
            "declared in two ways"
        );

    [Fact]
    public void A_pickle_of_something_else() => HostileFile.MustFail(PickleBuilder.Dump("hello"), "torch.save did not write");

    [Fact]
    public void Cut_in_the_pickle() => HostileFile.MustFail(Legacy(TwoTensors)[..120], "truncated");
}
