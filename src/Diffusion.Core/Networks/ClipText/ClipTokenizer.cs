using System.Text;
using System.Text.Json;
using Diffusion.Runtime;
using Microsoft.ML.Tokenizers;

namespace Diffusion.Networks;

/// <summary>CLIP's tokens: byte-pair encoding of cleaned, lower-case text with the vocabulary and merges of a folder.</summary>
/// <remarks>The text is cleaned as in the environments that the published models were trained in: see <see cref="CleanText"/>.</remarks>
public sealed class ClipTokenizer
{
    /// <summary>The files' names as published.</summary>
    public const string VocabularyFile = "vocab.json",
        MergesFile = "merges.txt";

    private const string StartName = "<|startoftext|>",
        EndName = "<|endoftext|>",
        EndOfWord = "</w>";

    private readonly BpeTokenizer _pairs;
    private readonly Dictionary<int, string> _symbols;

    private ClipTokenizer(BpeTokenizer pairs, IReadOnlyDictionary<string, int> ids)
    {
        _pairs = pairs;
        _symbols = ids.ToDictionary(entry => entry.Value, entry => entry.Key);
        (Start, End) = (ids[StartName], ids[EndName]);
    }

    /// <summary>The token before every text.</summary>
    public long Start { get; }

    /// <summary>The token behind every text.</summary>
    public long End { get; }

    // The letter that stands for each byte: itself where it is visible, else the next one from U+0100 on.
    private static IReadOnlyDictionary<char, byte> Bytes { get; } =
        Enumerable
            .Range(0, 256)
            .Select(value => (Value: (byte)value, Seen: value is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174))
            .Aggregate(new Dictionary<char, byte>(), (letters, one) =>
            {
                char letter = one.Seen ? (char)one.Value : (char)(256 + letters.Keys.Count(other => other > byte.MaxValue));
                letters.Add(letter, one.Value);
                return letters;
            });

    /// <summary>Whether a folder holds both files.</summary>
    public static bool IsIn(string folder) =>
        File.Exists(Path.Combine(folder, VocabularyFile)) && File.Exists(Path.Combine(folder, MergesFile));

    /// <summary>Reads <c>vocab.json</c> and <c>merges.txt</c>, as Hugging Face publishes them.</summary>
    /// <exception cref="CheckpointException">One is missing or cannot be used.</exception>
    public static ClipTokenizer Open(string folder)
    {
        string vocabulary = Path.Combine(folder, VocabularyFile),
            merges = Path.Combine(folder, MergesFile);
        try
        {
            Dictionary<string, int> ids = JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(vocabulary))!;
            Dictionary<string, int> special = new() { [StartName] = ids[StartName], [EndName] = ids[EndName] };
            BpeOptions options = new(ids)
            {
                Merges = File.ReadLines(merges).Where(line => !line.StartsWith("#version", StringComparison.Ordinal) && line.Contains(' ')),
                SpecialTokens = special,
                PreTokenizer = new ClipPieces(special),
                EndOfWordSuffix = EndOfWord,
                ByteLevel = true,
            };
            return new ClipTokenizer(BpeTokenizer.Create(options), ids);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CheckpointException(
                $"The tokenizer's {VocabularyFile} and {MergesFile} are missing",
                folder,
                "Put both there; they are published with every Stable Diffusion (folder tokenizer) and with CLIP ViT-L/14"
            );
        }
        catch (Exception wrong) when (wrong is JsonException or KeyNotFoundException or ArgumentException or InvalidOperationException)
        {
            throw new CheckpointException($"The tokenizer cannot be used: {wrong.Message.TrimEnd('.')}", folder, "Fetch it again", wrong);
        }
    }

    /// <summary>The tokens of a text, without start and end.</summary>
    public IReadOnlyList<int> Encode(string text) => _pairs.EncodeToIds(CleanText.Of(text), considerNormalization: false);

    /// <summary>The text of tokens, each word followed by a blank.</summary>
    /// <exception cref="KeyNotFoundException">There is no such token.</exception>
    public string Decode(IEnumerable<int> ids)
    {
        string symbols = string.Concat(ids.Select(id => _symbols[id]));
        return Encoding.UTF8.GetString([.. symbols.Select(letter => Bytes[letter])]).Replace(EndOfWord, " ", StringComparison.Ordinal);
    }

    /// <summary>Texts of one length: start, as many tokens as fit, end, and the filling.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="length">Tokens of each.</param>
    /// <param name="filling">What follows the end; null: the end again, as in Stable Diffusion 1.x (2.x: 0).</param>
    /// <returns>[N,length] int64; the caller owns it.</returns>
    public Tensor Padded(IReadOnlyList<string> texts, int length = 77, long? filling = null)
    {
        long[] ids = [.. Enumerable.Repeat(filling ?? End, texts.Count * length)];
        for (int i = 0; i < texts.Count; i++)
        {
            long[] own = [Start, .. Encode(texts[i]).Take(length - 2).Select(id => (long)id), End];
            own.CopyTo(ids, i * length);
        }
        return torch.tensor(ids).reshape(texts.Count, length);
    }
}
