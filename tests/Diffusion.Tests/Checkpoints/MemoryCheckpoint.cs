using Diffusion.Checkpoints;

namespace Diffusion.Tests.Checkpoints;

/// <summary>A checkpoint of names and shapes, filled with one number.</summary>
internal sealed class MemoryCheckpoint(IEnumerable<(string Name, long[] Shape)> tensors, double fill = 1, string path = "memory.pt")
    : ICheckpoint
{
    public string Path => path;
    public string Format => "memory";
    public IReadOnlyDictionary<string, TensorEntry> Tensors { get; } =
        tensors.ToDictionary(tensor => tensor.Name, TensorEntry (tensor) => new Entry(tensor.Name, tensor.Shape, fill));
    public IReadOnlyDictionary<string, string> Metadata { get; } = new Dictionary<string, string>();

    public void Dispose() { }

    /// <summary>The names and shapes of a published file, as its manifest lists them.</summary>
    public static MemoryCheckpoint FromManifest(
        System.Text.Json.Nodes.JsonObject manifest,
        string prefix = "",
        string path = "memory.pt"
    ) =>
        new(
            manifest["tensors"]!
                .AsObject()
                .Select(tensor => (prefix + tensor.Key, tensor.Value![1]!.AsArray().Select(size => (long)size!).ToArray())),
            path: path
        );

    private sealed class Entry(string name, long[] shape, double fill) : TensorEntry
    {
        public override string Name => name;
        public override ScalarType Dtype => ScalarType.Float32;
        public override IReadOnlyList<long> Shape => shape;

        public override Tensor Read(ScalarType? dtype = null) => torch.full(shape, fill, dtype: Dtype).to(dtype ?? Dtype);
    }
}
