using Diffusion.Checkpoints;
using Diffusion.Runtime;
using static Diffusion.Tests.Checkpoints.PyTorchFile;

namespace Diffusion.Tests.Checkpoints;

/// <summary>PyTorch's zip format, sound and hostile.</summary>
[NeedsFinalizers]
public sealed class PyTorchZipTests
{
    private static readonly Entries OneTensor = new(("a", Vector("0", 4)));

    private static List<ZipPart> Sound => Parts(OneTensor, ("0", Floats(4)));

    [Theory, InlineData(false, false), InlineData(true, false), InlineData(false, true), InlineData(true, true)]
    public void Stored_deflated_and_zip64_entries_read(bool deflated, bool zip64)
    {
        using Scratch scratch = new();
        using ICheckpoint file = Checkpoint.Open(
            scratch.File("m.pt", ZipBuilder.Build(Sound.Select(part => part with { Deflated = deflated }), zip64))
        );
        using Tensor a = file.Tensors["a"].Read();
        Assert.Equal("pytorch-zip", file.Format);
        Assert.Equal([0, 1, 2, 3], a.data<float>().ToArray());
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Views_share_their_storage_and_read_their_part(bool deflated)
    {
        Persistent storage = Storage("0", 12);
        Entries root = new(
            ("part", View(storage, 4, [2, 2], [1, 3])),
            ("repeated", View(storage, 5, [3, 2], [0, 1])),
            ("scalar", View(storage, 11, [], [])),
            ("none", View(storage, 12, [0, 3], [3, 1])),
            ("all", View(storage, 0, [3, 4], [4, 1]))
        );
        using Scratch scratch = new();
        using ComputeScope scope = new();
        using ICheckpoint file = Checkpoint.Open(
            scratch.File("m.pt", ZipBuilder.Build(Parts(root, ("0", Floats(12))).Select(part => part with { Deflated = deflated })))
        );
        for (int round = 0; round < 2; round++)
        {
            Assert.Equal([4, 7, 5, 8], file.Tensors["part"].Read().data<float>().ToArray());
            Assert.Equal([5, 6, 5, 6, 5, 6], file.Tensors["repeated"].Read().data<float>().ToArray());
            Assert.Equal(11, file.Tensors["scalar"].Read().item<float>());
            Assert.Equal([0, 3], file.Tensors["none"].Read().shape);
            Assert.Equal(Enumerable.Range(0, 12).Select(i => (float)i), file.Tensors["all"].Read().data<float>().ToArray());
        }
    }

    [Fact]
    public void Nested_dictionaries_and_lists_are_joined_by_dots()
    {
        Entries root = new(
            ("state_dict", new Entries(("a", Vector("0", 4))) { Ordered = true }),
            ("epoch", 3),
            ("optimizer_states", new List<object?> { new Entries((0, new Entries(("step", 1.5), ("exp_avg", Vector("1", 2))))) })
        );
        using Scratch scratch = new();
        using ICheckpoint file = Checkpoint.Open(scratch.File("m.ckpt", Zip(root, ("0", Floats(4)), ("1", Floats(2)))));
        Assert.Equal(["optimizer_states.0.0.exp_avg", "state_dict.a"], file.Tensors.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Settings_that_trainers_leave_beside_the_weights_are_ignored()
    {
        Global callback = new("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint");
        Entries root = new(
            ("state_dict", OneTensor),
            ("callbacks", new Entries((callback, new Entries(("best", 1.0))))),
            ("args", new Call(new Global("argparse", "Namespace"))),
            ("loss", new Call(new Global("numpy.core.multiarray", "scalar"), new Call(new Global("numpy", "dtype"), "f8", 0, 1), "x"))
        );
        using Scratch scratch = new();
        using ICheckpoint file = Checkpoint.Open(scratch.File("m.ckpt", Zip(root, ("0", Floats(4)))));
        Assert.Equal(["state_dict.a"], file.Tensors.Keys);
    }

    [Fact]
    public void No_data_pkl() => Fails(Sound.Skip(1), "without data.pkl");

    [Fact]
    public void Numpy_archive() => Fails([new ZipPart("a.npy", [1])], "NumPy");

    [Fact]
    public void Two_data_pkl() => Fails([.. Sound, new ZipPart("other/data.pkl", Sound[0].Content)], "two data.pkl");

    [Fact]
    public void Different_folder_per_member() => Fails([Sound[0], Sound[1] with { Name = "other/data/0" }], "outside the folder");

    [Fact]
    public void Duplicate_entries() => Fails([.. Sound, Sound[1]], "twice");

    [Fact]
    public void Encrypted_entry() => Fails(Changed(part => part with { Flags = 1 }), "encrypted");

    [Fact]
    public void Local_header_of_another_name() => Fails(Changed(part => part with { LocalName = "archive/data/9" }), "contradicts");

    [Fact]
    public void Local_header_of_another_size() => Fails(Changed(part => part with { LocalSize = 15 }), "contradicts");

    [Fact]
    public void Wrong_checksum() => Fails(Changed(part => part with { Crc = 1 }), "wrong checksum");

    [Fact]
    public void Wrong_checksum_of_a_deflated_entry() => Fails(Changed(part => part with { Crc = 1, Deflated = true }), "wrong checksum");

    [Fact]
    public void Path_that_leads_out() => Fails([.. Sound, new ZipPart("archive/../../evil.txt", [1])], "leads out of the archive");

    [Fact]
    public void Absolute_path() => Fails([.. Sound, new ZipPart("/etc/evil", [1])], "leads out of the archive");

    [Fact]
    public void Windows_path() => Fails([.. Sound, new ZipPart("archive\\..\\evil", [1])], "leads out of the archive");

    [Fact]
    public void Missing_storage() => Fails([Sound[0], Sound[2]], "Missing storage");

    [Fact]
    public void Storage_shorter_than_declared() => Fails(Changed(part => part with { Content = Floats(3) }), "are declared");

    [Fact]
    public void Storage_longer_than_declared() => Fails(Changed(part => part with { Content = Floats(5) }), "are declared");

    [Fact]
    public void Big_endian() => Fails([.. Sound, new ZipPart("archive/byteorder", "big"u8.ToArray())], "big-endian");

    [Fact]
    public void TorchScript_program() =>
        Fails(
            [.. Sound, new ZipPart("archive/constants.pkl", PickleBuilder.Dump(new object?[] { })), new ZipPart("archive/code/a.py", [1])],
            "TorchScript"
        );

    [Fact]
    public void Entry_that_claims_more_than_it_can_hold() =>
        Fails(Changed(part => part with { Deflated = true, CentralSize = 1L << 31 }), "cannot hold");

    [Fact]
    public void Deflated_entry_that_ends_too_early() =>
        Fails(
            Parts(new Entries(("a", Vector("0", 6))), ("0", Floats(4)))
                .Select(part =>
                    part.Name.EndsWith("/0", StringComparison.Ordinal) ? part with { Deflated = true, CentralSize = 24 } : part
                ),
            "ends before its declared size"
        );

    [Fact]
    public void Deflated_entry_that_goes_on() =>
        Fails(
            Parts(new Entries(("a", Vector("0", 3))), ("0", Floats(4)))
                .Select(part =>
                    part.Name.EndsWith("/0", StringComparison.Ordinal) ? part with { Deflated = true, CentralSize = 12 } : part
                ),
            "goes on beyond"
        );

    [Fact]
    public void Empty_archive() => HostileFile.MustFail(ZipBuilder.Build([]), "without data.pkl");

    [Fact]
    public void Truncated_archive() => HostileFile.MustFail(ZipBuilder.Build(Sound)[..^30], "truncated");

    [Fact]
    public void A_deflated_bomb_of_a_pickle_is_refused_without_inflating_it()
    {
        using MemoryWatch watch = new();
        Fails([new ZipPart("archive/data.pkl", new byte[64 << 20]) { Deflated = true }], "over the limit");
        Assert.True(watch.PeakGrowthMebibytes() < 400);
    }

    [Fact]
    public void Tar_files_of_before_2017_are_named()
    {
        byte[] tar = new byte[1024];
        "storages"u8.CopyTo(tar);
        "ustar"u8.CopyTo(tar.AsSpan(257));
        HostileFile.MustFail(tar, "before 2017");
    }

    private static IEnumerable<ZipPart> Changed(Func<ZipPart, ZipPart> change) =>
        Sound.Select(part => part.Name.EndsWith("/0", StringComparison.Ordinal) ? change(part) : part);

    private static void Fails(IEnumerable<ZipPart> parts, string word) => HostileFile.MustFail(ZipBuilder.Build(parts), word);
}
