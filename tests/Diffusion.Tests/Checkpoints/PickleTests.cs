using System.Diagnostics;
using System.Text;
using Diffusion.Checkpoints;
using Diffusion.Runtime;
using static Diffusion.Tests.Checkpoints.PyTorchFile;

namespace Diffusion.Tests.Checkpoints;

/// <summary>Pickles that no honest program writes. Each is tried in both formats.</summary>
[NeedsFinalizers]
public sealed class PickleTests
{
    [
        Theory,
        InlineData("os", "system"),
        InlineData("posix", "system"),
        InlineData("builtins", "eval"),
        InlineData("__builtin__", "getattr"),
        InlineData("torch", "load"),
        InlineData("torch._utils", "_import_dotted_name"),
        InlineData("collections", "OrderedDict.fromkeys"),
        InlineData("pytorch_lightning", "os.system"),
        InlineData("numpy", "load"),
        InlineData("torch", "LongTensor")
    ]
    public void Functions_that_weights_do_not_need_are_refused_by_name(string module, string name) =>
        Fails(new Call(new Global(module, name), "touch /tmp/owned"), $"{module}.{name}");

    [Fact]
    public void Stack_global_is_held_to_the_same_list() => Fails(new Raw([.. Short("os"), .. Short("system"), 0x93]), "os.system");

    [Fact]
    public void Stack_global_of_a_permitted_name_reads() =>
        Reads(new Raw([.. Short("collections"), .. Short("OrderedDict"), 0x93, (byte)')', (byte)'R']));

    [Fact]
    public void Stack_global_without_text() => Fails(new Raw((byte)'N', (byte)'N', 0x93), "Malformed pickle");

    [Fact]
    public void Inst() => Fails(new Raw([(byte)'(', (byte)'i', .. "os\nsystem\n"u8]), "os.system");

    [Fact]
    public void Obj() => Fails(new Raw((byte)'(', (byte)'N', (byte)'o'), "0x6f");

    [Fact]
    public void Ext1() => Fails(new Raw(0x82, 1), "0x82");

    [Fact]
    public void Newobj_ex() => Fails(new Raw((byte)')', (byte)')', (byte)'}', 0x92), "0x92");

    [Fact]
    public void Unknown_opcode() => Fails(new Raw(0xff), "unknown");

    [Fact]
    public void Newer_protocol() => Fails(new Raw(0x80, 6), "protocol 6");

    [Fact]
    public void Call_of_what_is_no_function() => Fails(new Raw((byte)'N', (byte)')', (byte)'R'), "no permitted function");

    [Fact]
    public void Reduce_with_too_few_arguments() => FailsZip(new Call(RebuildV2, Storage("0", 4), 0), "wrong arguments");

    [Fact]
    public void Reduce_with_arguments_of_another_kind() =>
        Fails(new Call(RebuildV2, "0", 0, new object?[] { 4L }, new object?[] { 1L }, false, null), "wrong arguments");

    [Fact]
    public void Set_item_on_a_list() => Fails(new Raw((byte)']', (byte)'N', (byte)'N', (byte)'s'), "no dictionary");

    [Fact]
    public void Append_to_a_dictionary() => Fails(new Raw((byte)'}', (byte)'N', (byte)'a'), "no list");

    [Fact]
    public void Odd_number_of_items() => Fails(new Raw((byte)'}', (byte)'(', (byte)'N', (byte)'u'), "no value");

    [Fact]
    public void Build_on_a_non_dictionary() => Fails(new Raw((byte)'}', (byte)']', (byte)'b'), "attributes are set");

    [Fact]
    public void Build_on_a_list() => Fails(new Raw((byte)']', (byte)'}', (byte)'b'), "attributes are set");

    [Fact]
    public void Memo_index_of_2_to_the_31() => Fails(new Raw((byte)'N', (byte)'r', 0, 0, 0, 0x80), "out of range");

    [Fact]
    public void Memo_index_that_was_never_set() => Fails(new Raw((byte)'h', 7), "never set");

    [Fact]
    public void Missing_mark() => Fails(new Raw((byte)'N', (byte)'t'), "mark is missing");

    [Fact]
    public void Empty_stack() => Fails(new Raw((byte)'0'), "stack runs empty");

    [Fact]
    public void Popping_what_lies_below_a_mark() => Fails(new Raw((byte)'N', (byte)'(', (byte)'0'), "stack runs empty");

    [Fact]
    public void Dictionary_that_contains_itself() =>
        Fails(new Raw([(byte)'}', (byte)'q', 0, .. Short("a"), (byte)'h', 0, (byte)'s']), "contains itself");

    [Fact]
    public void Deeply_nested_lists() =>
        Fails(new Raw([.. Enumerable.Repeat((byte)']', 100000), .. Enumerable.Repeat((byte)'a', 99999)]), "esting too deep");

    [Fact]
    public void Deeply_nested_dictionaries_built_one_by_one() =>
        Fails(
            new Raw([
                (byte)'}',
                .. Enumerable
                    .Range(0, 1000)
                    .SelectMany(_ => new byte[] { (byte)'q', 0, (byte)'}', 0x8c, 1, (byte)'a', (byte)'h', 0, (byte)'s' }),
            ]),
            "esting too deep"
        );

    [Fact]
    public void Text_longer_than_the_stream() => Fails(new Raw((byte)'X', 0xff, 0xff, 0xff, 0x7f), "longer than the stream");

    [Fact]
    public void Text_of_2_to_the_63() => Fails(new Raw(0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80), "longer than the stream");

    [Fact]
    public void Text_that_is_not_UTF8() => Fails(new Raw(0x8c, 1, 0xff), "not UTF-8");

    [Fact]
    public void Negative_long4() => Fails(new Raw(0x8b, 0xff, 0xff, 0xff, 0xff), "negative length");

    [Fact]
    public void Unreadable_numbers() => Fails(new Raw([(byte)'I', .. "twelve\n"u8]), "not readable");

    [Fact]
    public void Missing_stop() =>
        HostileFile.MustFail(ZipBuilder.Build([new ZipPart("archive/data.pkl", PickleBuilder.Dump(null, stop: false))]), "does not end");

    [Fact]
    public void Persistent_id_of_3_items() => Fails(new Persistent("storage", "0", 4L), "persistent id");

    [Fact]
    public void Persistent_id_of_6_items_in_a_zip() => FailsZip(Vector("0", 4, legacy: true), "persistent id");

    [Fact]
    public void Persistent_id_of_a_module() => Fails(new Persistent("module", "a", "b", "c", "d"), "persistent id");

    [Fact]
    public void Storage_of_a_negative_count() => FailsZip(Vector("0", -1), "claims -1 elements");

    [Fact]
    public void Storage_kind_that_is_unsupported() => FailsZip(View(Storage("0", 4, "QInt8Storage"), 0, [4], [1]), "not supported");

    [Fact]
    public void Stride_out_of_bounds() => FailsZip(View(Storage("0", 4), 0, [2], [4]), "reaches element");

    [Fact]
    public void Offset_out_of_bounds() => FailsZip(View(Storage("0", 4), 1, [4], [1]), "reaches element");

    [Fact]
    public void Negative_offset() => FailsZip(View(Storage("0", 4), -1, [1], [1]), "begins at element -1");

    [Fact]
    public void Negative_stride() => FailsZip(View(Storage("0", 4), 3, [4], [-1]), "negative stride");

    [Fact]
    public void Negative_size() => FailsZip(View(Storage("0", 4), 0, [-4], [1]), "negative or overflowing");

    [Fact]
    public void Sizes_that_overflow() => FailsZip(View(Storage("0", 4), 0, [1L << 40, 1L << 40], [0, 0]), "negative or overflowing");

    [Fact]
    public void Repetition_of_a_few_numbers_to_terabytes() => FailsZip(View(Storage("0", 4), 0, [1L << 40], [0]), "made of only");

    [Fact]
    public void Strides_whose_sum_overflows() =>
        FailsZip(View(Storage("0", 4), 0, [3, 3], [long.MaxValue / 2, long.MaxValue / 2]), "reaches element");

    [Fact]
    public void Sizes_without_strides() => FailsZip(View(Storage("0", 4), 0, [2, 2], [1]), "2 sizes but 1 strides");

    [Fact]
    public void Two_tensors_of_one_name() =>
        FailsZip(new Entries(("a.b", Vector("0", 4)), ("a", new Entries(("b", Vector("0", 4))))), "Two tensors are called");

    [Fact]
    public void Ten_million_opcodes_are_given_up_on_in_time()
    {
        Stopwatch time = Stopwatch.StartNew();
        using MemoryWatch watch = new();
        FailsZip(new Raw([.. Enumerable.Range(0, 10_000_000).Select(i => i % 2 == 0 ? (byte)'}' : (byte)'0')]), "opcodes");
        Assert.True(time.Elapsed.TotalSeconds < 10, $"{time.Elapsed}");
    }

    [Fact]
    public void Shared_lists_that_unfold_to_billions_are_given_up_on()
    {
        List<byte> opcodes = [.. "]q\0"u8];
        for (int i = 0; i < 60; i++)
            opcodes.AddRange([(byte)']', (byte)'h', 0, (byte)'a', (byte)'h', 0, (byte)'a', (byte)'q', 0]);
        Fails(new Raw([.. opcodes]), "esting too deep");
    }

    [Fact]
    public void Numbers_and_texts_of_all_protocols_read() =>
        Reads(
            new Entries(
                ("i", new Raw([.. "I12\n"u8])),
                ("t", new Raw([.. "I01\n"u8])),
                ("l", new Raw([.. "L123456789012345678901234567890L\n"u8])),
                ("f", new Raw([.. "F1.5\n"u8])),
                ("s", new Raw([.. "S'abc'\n"u8])),
                ("v", new Raw([.. "Vabc\n"u8])),
                ("u", new Raw((byte)'U', 2, 0xc3, 0x28)),
                ("b", new Raw((byte)'C', 1, 0xff)),
                ("n", -5L),
                ("d", 2.5),
                ("set", new Raw(0x8f, (byte)'(', (byte)'K', 1, 0x90)),
                ("frozen", new Raw((byte)'(', (byte)'K', 1, 0x91)),
                ("two", new Raw((byte)'N', (byte)'N', 0x86)),
                ("none", null)
            )
        );

    [Fact]
    public void A_whole_module_gives_what_its_state_dict_would()
    {
        object root = Module(
            [("scale", Vector("0", 4))],
            [("mean", Vector("0", 4)), ("cache", Vector("0", 4))],
            [("body", Module([("weight", Vector("0", 4)), ("bias", null)], [], [])), ("act", Module([], [], []))],
            [("cache", null)]
        );
        using Scratch scratch = new();
        using ICheckpoint alone = Checkpoint.Open(scratch.File("a.pt", Zip(root, ("0", Floats(4)))));
        Assert.Equal(["scale", "mean", "body.weight"], alone.Tensors.Keys);
        using ICheckpoint inside = Checkpoint.Open(scratch.File("b.pt", Zip(new Entries(("epoch", 3L), ("net", root)), ("0", Floats(4)))));
        Assert.Equal(["net.scale", "net.mean", "net.body.weight"], inside.Tensors.Keys);
        Assert.Equal("3", inside.Metadata["epoch"]);
        using Tensor read = inside.Tensors["net.body.weight"].Read();
        Assert.Equal([0f, 1, 2, 3], read.data<float>().ToArray());
    }

    [Fact]
    public void A_whole_module_of_a_legacy_file_needs_no_source()
    {
        object made = new Instance(
            new Raw([
                .. PickleBuilder.Dump(new Persistent("module", new Global("my.nets", "Net"), "nets.py", "class Net: ..."), stop: false)[
                    2..
                ],
                (byte)')',
                0x81,
            ]),
            Members([("weight", Vector("0", 4, legacy: true))], [], [])
        );
        using Scratch scratch = new();
        using ICheckpoint file = Checkpoint.Open(scratch.File("l.pt", Legacy(made, ("0", 4, Floats(4)))));
        Assert.Equal(["weight"], file.Tensors.Keys);
    }

    [Fact]
    public void Paths_partial_functions_and_settings_are_data() =>
        Reads(
            new Entries(
                ("path", new Call(new Global("pathlib", "PosixPath"), "/", "data")),
                ("newer", new Call(new Global("pathlib._local", "PosixPath"), "/", "data")),
                (
                    "partial",
                    new Instance(
                        new Call(new Global("functools", "partial"), new Global("my.losses", "huber")),
                        new object?[] { new Global("my.losses", "huber"), Array.Empty<object?>(), new Entries(("delta", 0.1)), null }
                    )
                ),
                ("settings", new Instance(new Global("my.settings", "Settings"), new Entries(("rate", 1e-3)))),
                ("space", new Instance(new Call(new Global("types", "SimpleNamespace")), new Entries(("a", 1L)))),
                (
                    "old",
                    new Instance(
                        new Call(
                            new Global("copy_reg", "_reconstructor"),
                            new Global("my.settings", "Old"),
                            new Global("__builtin__", "object"),
                            null
                        ),
                        new Entries(("b", 2L))
                    )
                )
            )
        );

    [Theory, InlineData("my.module", "function"), InlineData("my.module", "Class")]
    public void What_is_data_as_a_name_is_not_called(string module, string name) =>
        Fails(new Call(new Global(module, name), 1L), $"{module}.{name}");

    [Theory, InlineData("subprocess", "Popen"), InlineData("os", "path"), InlineData("importlib", "import_module")]
    public void What_runs_programs_is_refused_even_as_a_name(string module, string name)
    {
        Fails(new Global(module, name), $"{module}.{name}");
        Fails(new Instance(new Global(module, name), new Entries()), $"{module}.{name}");
    }

    private static Instance Module(
        (object?, object?)[] parameters,
        (object?, object?)[] buffers,
        (object?, object?)[] modules,
        (object? Name, object?)[]? passing = null
    ) => new(new Global("__main__", "Net"), Members(parameters, buffers, modules, passing));

    private static Entries Members(
        (object?, object?)[] parameters,
        (object?, object?)[] buffers,
        (object?, object?)[] modules,
        (object? Name, object?)[]? passing = null
    ) =>
        new(
            ("training", true),
            ("_parameters", new Entries(parameters) { Ordered = true }),
            ("_buffers", new Entries(buffers) { Ordered = true }),
            ("_non_persistent_buffers_set", new Call(new Global("__builtin__", "set"), (passing ?? []).Select(one => one.Name).ToList())),
            ("_backward_hooks", new Entries { Ordered = true }),
            ("activation", new Global("torch.nn.functional", "silu")),
            ("_modules", new Entries(modules) { Ordered = true })
        );

    private static byte[] Short(string text) => [0x8c, (byte)text.Length, .. Encoding.ASCII.GetBytes(text)];

    private static void Reads(object root)
    {
        using Scratch scratch = new();
        HostileFile.ReadEverything(scratch.File("z.pt", Zip(root)));
        HostileFile.ReadEverything(scratch.File("l.pt", Legacy(root)));
    }

    private static void Fails(object root, string word)
    {
        FailsZip(root, word);
        HostileFile.MustFail(Legacy(root), word);
    }

    private static void FailsZip(object root, string word) => HostileFile.MustFail(Zip(root, ("0", Floats(4))), word);
}
