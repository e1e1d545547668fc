using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Tests.Parity;

/// <summary>CLIP's text encoder, and its tokens.</summary>
public sealed class ClipTextParityTests
{
    private static readonly Lazy<ClipTokenizer> Tokenizer = new(() =>
        ClipTokenizer.Open(Path.GetDirectoryName(ParityCase.DataFile("clip/vocab.json"))!)
    );

    private static readonly Lazy<JsonElement> Recorded = new(() =>
        JsonDocument.Parse(File.ReadAllText(ParityCase.DataFile("clip/tokenizer.json"))).RootElement
    );

    public static TheoryData<string> Cases => ParityCase.All("clip");

    public static TheoryData<int> Strings => [.. Enumerable.Range(0, Recorded.Value.GetProperty("strings").GetArrayLength())];

    [Theory, MemberData(nameof(Cases))]
    public void Texts_are_encoded_as_recorded(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Only("dtype", "float32");
        config.Only("causal", true);
        config.Only("padding_masked", false);
        NetworkFamily<ClipTextConfig> family =
            config.OneOf("names", "huggingface", "open_clip") == "huggingface" ? new ClipTextFamily() : new OpenClipTextFamily();
        JsonObject arguments = [];
        foreach (string key in config.Keys.Where(key => family.Keys.Contains(key)))
            arguments[key] = JsonNode.Parse(config.Raw(key).GetRawText());
        config.Int("start_id");
        config.Int("pad_id");
        ICheckpoint stored = reference.Weights(),
            weights = family.Named(stored);
        RecognizedNetwork found = NetworkCatalog.BuiltIn.Recognize(stored)!;
        Assert.Equal(family.Kind, found.Family.Kind);
        Assert.True(family.HasLayout(arguments, found.Config), $"{found.Config.ToJsonString()} was found.");
        foreach ((ComputePolicy policy, double factor) in NetworkCase.Runs)
        {
            using ClipTextEncoder network = (ClipTextEncoder)family.Create(arguments, policy);
            StateDictLoader.Load(network.Parameters, weights);
            Tensor ids = reference.Input("input_ids"),
                encoded = network.Encode(ids, trace: LatentCase.Compare(reference, factor, module => module));
            reference.AssertOutput("last_hidden_state", encoded, factor);
            reference.AssertOutput("penultimate_ln", network.Encode(ids, skipped: 1), factor);
            reference.AssertOutput("pooled_projected", network.Project(encoded, ids, config.Int("end_id")), factor);
        }
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    [Theory, MemberData(nameof(Strings))]
    public void A_text_becomes_the_recorded_tokens(int index)
    {
        JsonElement recorded = Recorded.Value.GetProperty("strings")[index];
        string text = recorded.GetProperty("text").GetString()!;
        Assert.Equal(recorded.GetProperty("cleaned").GetString(), CleanText.Of(text));
        int[] ids = [.. recorded.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
        Assert.Equal(ids, Tokenizer.Value.Encode(text));
        Assert.Equal(recorded.GetProperty("decoded").GetString(), Tokenizer.Value.Decode(ids));
    }

    [Fact]
    public void Texts_are_filled_up_and_cut_as_recorded()
    {
        ClipTokenizer tokenizer = Tokenizer.Value;
        JsonElement recorded = Recorded.Value;
        Assert.Equal((recorded.GetProperty("start").GetInt64(), recorded.GetProperty("end").GetInt64()), (tokenizer.Start, tokenizer.End));
        using ComputeScope scope = new();
        foreach (JsonElement example in recorded.GetProperty("padded_examples").EnumerateArray())
        {
            long[] ids = [.. example.GetProperty("ids").EnumerateArray().Select(id => id.GetInt64())];
            Assert.Equal(ids, tokenizer.Padded([example.GetProperty("text").GetString()!], ids.Length).data<long>().ToArray());
        }
        Assert.Equal(0, tokenizer.Padded(["x"], filling: 0)[0, 76].item<long>());
    }

    [Theory]
    [InlineData("cafÃ© au lait", "café au lait")]
    [InlineData("itâ€™s", "it's")]
    [InlineData("&EACUTE;&#233; &amp;amp;", "éé &")]
    [InlineData("a &amp; <b>", "a &amp; <b>")]
    [InlineData("ΟΔΟΣ Σ ΣΑΣ.", "οδος σ σας.")]
    [InlineData("\u001b[1mbold\u001b[0m\u0007", "bold")]
    [InlineData("A\u0308 \u1100\u1161\u11a8", "ä 각")]
    [InlineData("ｶﾞ ＡＢ", "ガ ab")]
    [InlineData("naïve Ähre", "naïve ähre")]
    public void Text_is_cleaned(string text, string cleaned) => Assert.Equal(cleaned, CleanText.Of(text));

    [Fact]
    public void Letters_beyond_the_first_plane_are_letters_of_one_piece()
    {
        // A Deseret word and an emoji: bytes of both, but merged in two pieces.
        IReadOnlyList<int> together = Tokenizer.Value.Encode("\U00010428\U00010429\U0001f600");
        Assert.Equal([.. Tokenizer.Value.Encode("\U00010428\U00010429"), .. Tokenizer.Value.Encode("\U0001f600")], together);
        Assert.NotEqual(together, Tokenizer.Value.Encode("\U00010428 \U00010429 \U0001f600"));
    }
}
