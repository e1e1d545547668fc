using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>Low-rank updates of weights: W + (alpha / rank) B A (Hu et al., "LoRA", 2022).</summary>
/// <remarks>
/// Names are those of the updated layer with <c>.lora_A.weight</c> and <c>.lora_B.weight</c> (peft), or <c>.lora.down.weight</c> and
/// <c>.lora.up.weight</c> (diffusers); a file may use both. A is [rank, inputs, ...], B [outputs, rank, ...].
/// </remarks>
public sealed class LoraUpdates
{
    private static readonly (string Down, string Up)[] Styles =
    [
        (".lora_A.weight", ".lora_B.weight"),
        (".lora.down.weight", ".lora.up.weight"),
    ];

    private readonly string _path;
    private readonly Dictionary<string, (TensorEntry Down, TensorEntry Up)> _updates = new(StringComparer.Ordinal);
    private readonly double? _alpha;

    /// <summary>Reads the table of updates, not their values.</summary>
    /// <param name="file">
    /// A file of nothing but updates below <paramref name="prefix"/>; borrowed, and must outlive this and its merges.
    /// </param>
    /// <param name="prefix">What precedes the layers' names, for example <c>unet.</c>.</param>
    /// <param name="alpha">Strength; null: the rank of each update, that is, a factor of 1.</param>
    /// <exception cref="CheckpointException">A tensor is no update, or half of one.</exception>
    public LoraUpdates(ICheckpoint file, string prefix = "", double? alpha = null)
    {
        (_path, _alpha) = (file.Path, alpha);
        HashSet<string> left = [.. file.Tensors.Keys];
        foreach ((string down, string up) in Styles)
        foreach (string name in file.Tensors.Keys.Where(name => name.EndsWith(down, StringComparison.Ordinal)))
        {
            string layer = name[..^down.Length];
            if (!layer.StartsWith(prefix, StringComparison.Ordinal) || !file.Tensors.TryGetValue(layer + up, out TensorEntry? second))
                continue;
            if (!_updates.TryAdd(layer[prefix.Length..], (file.Tensors[name], second)))
                throw Wrong($"{Printable.Shorten(layer)} is updated twice");
            left.ExceptWith([name, layer + up]);
        }
        if (left.Count > 0)
            throw Wrong(
                $"{left.Count} tensors are no LoRA updates, or only half of one; the first is {Printable.Shorten(left.Order().First())}"
            );
    }

    /// <summary>
    /// Leaves convolutions alone that are updated in diffusers' style, as published merges do; in peft's style they are updated always.
    /// </summary>
    public bool OnlyPeftConvolutions { get; init; }

    /// <summary>The layers that are updated, without the prefix.</summary>
    public IReadOnlyCollection<string> Layers => _updates.Keys;

    /// <summary>A and B of each layer that is updated.</summary>
    public IEnumerable<(string Layer, TensorEntry Down, TensorEntry Up)> Pairs =>
        _updates
            .Where(update => !IsLeftAlone(update.Value.Up, update.Value.Down.Shape))
            .Select(update => (update.Key, update.Value.Down, update.Value.Up));

    /// <summary>A checkpoint with the updates added to its weights; each is computed when it is read.</summary>
    /// <param name="weights">The base model; borrowed, and must outlive the result.</param>
    /// <exception cref="CheckpointException">The base has no such layer, or its shape differs.</exception>
    public ICheckpoint Merge(ICheckpoint weights)
    {
        Dictionary<string, TensorEntry> merged = weights.Tensors.ToDictionary();
        foreach ((string layer, (TensorEntry down, TensorEntry up)) in _updates)
        {
            string name = layer + ".weight";
            if (!merged.TryGetValue(name, out TensorEntry? entry))
                throw Wrong($"There is no layer {Printable.Shorten(layer)} to update in {weights.Path}");
            if (IsLeftAlone(up, entry.Shape))
                continue;
            if (!Fits(entry.Shape, down.Shape, up.Shape))
                throw Wrong(
                    $"The update of {Printable.Shorten(layer)} is [{string.Join(",", up.Shape)}] times "
                        + $"[{string.Join(",", down.Shape)}], but the weight is [{string.Join(",", entry.Shape)}]"
                );
            merged[name] = new Updated(entry, down, up, _alpha is { } alpha ? alpha / down.Shape[0] : 1);
        }
        return new TensorTable(weights, merged);
    }

    private bool IsLeftAlone(TensorEntry up, IReadOnlyList<long> shape) =>
        OnlyPeftConvolutions && shape.Count == 4 && up.Name.EndsWith(Styles[1].Up, StringComparison.Ordinal);

    private static bool Fits(IReadOnlyList<long> weight, IReadOnlyList<long> down, IReadOnlyList<long> up) =>
        weight.Count >= 2
        && down.Count >= 2
        && up.Count >= 2
        && down[0] > 0
        && up[0] == weight[0]
        && up[1] == down[0]
        && up.Skip(2).All(size => size == 1)
        && Product(down.Skip(1)) == Product(weight.Skip(1))
        && down[1] == weight[1];

    private static long Product(IEnumerable<long> sizes) => sizes.Aggregate(1L, (a, b) => a * b);

    private CheckpointException Wrong(string what) =>
        new(what, _path, "Give the updates that belong to this model, and the prefix of their names");

    private sealed class Updated(TensorEntry weight, TensorEntry down, TensorEntry up, double scale) : TensorEntry
    {
        public override string Name => weight.Name;
        public override ScalarType Dtype => weight.Dtype;
        public override IReadOnlyList<long> Shape => weight.Shape;

        public override Tensor Read(ScalarType? dtype = null)
        {
            using ComputeScope scope = new();
            Tensor b = up.Read(ScalarType.Float32).flatten(1),
                a = down.Read(ScalarType.Float32).flatten(1);
            Tensor sum = weight.Read(ScalarType.Float32) + scale * torch.matmul(b, a).reshape([.. weight.Shape]);
            return scope.Return(sum.to(dtype ?? weight.Dtype));
        }
    }
}
