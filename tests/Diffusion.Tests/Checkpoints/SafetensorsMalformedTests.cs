using System.Text;
using static Diffusion.Tests.Checkpoints.SafetensorsTests;

namespace Diffusion.Tests.Checkpoints;

/// <summary>One test per malformation.</summary>
public sealed class SafetensorsMalformedTests
{
    private const string One = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";

    [Fact]
    public void The_sound_file_that_the_others_are_made_from_reads() => Reads(Build(One, 8));

    [Fact]
    public void Trailing_spaces_in_the_header_are_padding() => Reads(Build(One + "   ", 8));

    [Fact]
    public void Zero_size_and_0d_tensors_read() =>
        Reads(Build("""{"e":{"dtype":"F32","shape":[0,5],"data_offsets":[0,0]},"s":{"dtype":"F64","shape":[],"data_offsets":[0,8]}}""", 8));

    [Fact]
    public void A_file_without_tensors_reads() => Reads(Build("{}", 0));

    [Fact]
    public void Unknown_fields_are_skipped() =>
        Reads(Build("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":{"x":[1,2]}}}""", 8));

    [Fact]
    public void Header_of_length_0() => Fails(Build("", 0), "empty");

    [Fact]
    public void File_shorter_than_its_length_field() => Fails(new byte[7], "too short");

    [Fact]
    public void Header_beyond_the_file() => Fails(Build(One, 8, claimedLength: 1000), "beyond the end of the file");

    [Fact]
    public void Header_of_2_to_the_63() => Fails(Build(One, 8, claimedLength: long.MinValue), "beyond the end of the file");

    [Fact]
    public void Header_over_100_MB()
    {
        using Scratch scratch = new();
        string path = scratch.File("m.safetensors", Build(One, 8, claimedLength: 100_000_001));
        using (FileStream sparse = new(path, FileMode.Open))
            sparse.SetLength(200_000_000);
        Assert.Contains(
            "over the limit",
            Assert.Throws<Diffusion.Runtime.CheckpointException>(() => HostileFile.ReadEverything(path)).Message
        );
    }

    [Fact]
    public void Leading_space() => Fails(Build(" " + One, 8), "not a JSON object");

    [Fact]
    public void Header_that_is_a_list() => Fails(Build("[1]", 0), "not a JSON object");

    [Fact]
    public void Header_that_is_not_JSON() => Fails(Build("{\"a\":", 0), "not valid JSON");

    [Fact]
    public void Text_after_the_header_object() => Fails(Build(One + "{}", 8), "not valid JSON");

    [Fact]
    public void Lone_surrogate_in_a_name() =>
        Fails(Build(One.Replace("\"a\"", "\"\\ud800\"", StringComparison.Ordinal), 8), "not valid JSON");

    [Fact]
    public void Header_that_is_not_UTF8()
    {
        byte[] file = Build(One, 8);
        file[10] = 0xff;
        Fails(file, "not UTF-8");
    }

    [Fact]
    public void Trailing_bytes() => Fails(Build(One, 9), "follow after the last tensor");

    [Fact]
    public void Cut_by_one_byte() => Fails(Build(One, 7), "beyond the file");

    [Fact]
    public void Duplicate_names() =>
        Fails(
            Build("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8),
            "Duplicate tensor name"
        );

    [Fact]
    public void Duplicate_fields() =>
        Fails(Build("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8), "given twice");

    [Fact]
    public void Missing_fields() => Fails(Build("""{"a":{"dtype":"F32","shape":[2]}}""", 8), "needs dtype, shape");

    [Fact]
    public void Three_offsets() => Fails(Build("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}""", 8), "two data_offsets");

    [Fact]
    public void Metadata_that_is_no_string() => Fails(Build("""{"__metadata__":{"n":1}}""", 0), "is not a string");

    [Fact]
    public void Metadata_that_is_nested() => Fails(Build("""{"__metadata__":{"n":{"m":"x"}}}""", 0), "is not a string");

    [Fact]
    public void Metadata_that_is_no_object() => Fails(Build("""{"__metadata__":"n"}""", 0), "is not an object");

    [Fact]
    public void Negative_offset() => Fails(Build("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 8), "Negative offset");

    [Fact]
    public void Fractional_offset() =>
        Fails(Build("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0.5,8]}}""", 8), "not a whole number");

    [Fact]
    public void Offset_of_1e400() =>
        Fails(Build("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,1e400]}}""", 8), "not a whole number");

    [Fact]
    public void Begin_after_end() => Fails(Build("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8), "begins after its end");

    [Fact]
    public void Overlap() =>
        Fails(
            Build("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12),
            "Overlapping"
        );

    [Fact]
    public void Hole() =>
        Fails(
            Build("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}""", 20),
            "hole"
        );

    [Fact]
    public void Negative_size() => Fails(Build("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8), "Negative size");

    [Fact]
    public void Product_of_sizes_overflows() =>
        Fails(Build("""{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0), "overflows");

    [Fact]
    public void Product_of_sizes_overflows_beside_a_zero() =>
        Fails(Build("""{"a":{"dtype":"F32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}""", 0), "overflows");

    [Fact]
    public void Product_times_the_element_size_overflows() =>
        Fails(Build("""{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}""", 0), "disagree");

    [Fact]
    public void Shape_and_offsets_disagree() => Fails(Build("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8), "disagree");

    [Fact]
    public void Unknown_dtype() => Fails(Build("""{"a":{"dtype":"Q7","shape":[8],"data_offsets":[0,8]}}""", 8), "unknown dtype");

    [Fact]
    public void Float8_is_named_with_a_remedy() =>
        Fails(Build("""{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}""", 8), "quantised to F8_E4M3");

    [Fact]
    public void Nested_JSON() => Fails(Build(string.Concat(Enumerable.Repeat("{\"a\":", 100000)), 0), "not valid JSON");

    [Fact]
    public void Deeply_nested_JSON_in_a_field() => Fails(Build("{\"a\":{\"more\":" + new string('[', 100000), 0), "not valid JSON");

    [Fact]
    public void Control_characters_of_a_name_do_not_reach_the_message() =>
        Fails(Build("""{"a\n\u001b[31m":{"dtype":"Q7","shape":[8],"data_offsets":[0,8]}}""", 8), "a??[31m");

    [
        Theory,
        InlineData("Once upon a time there was a checkpoint."),
        InlineData("\u007fELF\u0002\u0001\u0001\0\0\0\0"),
        InlineData("GIF89a\u0040\0\u0040\0"),
        InlineData("x")
    ]
    public void Other_files_are_not_taken_for_safetensors(string content) =>
        HostileFile.MustFail(Encoding.UTF8.GetBytes(content), "not a checkpoint");

    private static void Reads(byte[] content)
    {
        using Scratch scratch = new();
        HostileFile.ReadEverything(scratch.File("m.safetensors", content));
    }

    private static void Fails(byte[] content, string word) => HostileFile.MustFail(content, word, "m.safetensors");
}
