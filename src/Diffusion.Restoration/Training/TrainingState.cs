using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>
/// Everything that a run needs to go on exactly where it was: weights, moments, averages, loss balance, step and learning rate.
/// </summary>
/// <remarks>
/// File: the 8 bytes <c>DIFFTRN1</c>, the length of a JSON header (int64, little endian), the header, then the arrays as float32 parameter
/// by parameter in the header's order, then the SHA-256 of all before.
/// Written to a temporary name, flushed and renamed: a run killed at any moment leaves the previous state.
/// </remarks>
public sealed class TrainingState : IDisposable
{
    private static ReadOnlySpan<byte> Magic => "DIFFTRN1"u8;
    private const int MaxHeader = 16 << 20;

    /// <summary>A state for a network, all zeros at step 0.</summary>
    public TrainingState(IReadOnlyList<Parameter> parameters, LearningRate rate)
    {
        Layout = new ParameterLayout(parameters);
        Rate = rate;
        Arrays = [.. Enumerable.Range(0, 5).Select(_ => new FlatTensor(Layout.Length))];
    }

    /// <summary>Where the parameters lie.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>Steps done.</summary>
    public long Step { get; set; }

    /// <summary>Crops seen.</summary>
    public long Crops { get; set; }

    /// <summary>Pixels seen.</summary>
    public long Pixels { get; set; }

    /// <summary>Seconds of training.</summary>
    public double Seconds { get; set; }

    /// <summary>The learning rate's plan.</summary>
    public LearningRate Rate { get; set; }

    /// <summary>Running means of the loss.</summary>
    public LossBalance Balance { get; } = new();

    /// <summary>Weights, first and second moment, short and long average.</summary>
    internal FlatTensor[] Arrays { get; }

    internal FlatTensor Weights => Arrays[0];
    internal FlatTensor First => Arrays[1];
    internal FlatTensor Second => Arrays[2];
    internal FlatTensor Short => Arrays[3];
    internal FlatTensor Long => Arrays[4];

    /// <summary>The weights or an average of them, by parameter name.</summary>
    /// <param name="which">Weights, short or long average.</param>
    /// <returns>float32 tensors [shape of the parameter]; the caller owns them.</returns>
    public Dictionary<string, Tensor> Export(TrainedWeights which)
    {
        Tensor flat = (
            which switch
            {
                TrainedWeights.Last => Weights,
                TrainedWeights.ShortAverage => Short,
                _ => Long,
            }
        ).Tensor;
        return Layout.Slots.ToDictionary(s => s.Name, s => flat.narrow(0, s.Offset, s.Length).reshape(s.Shape).clone());
    }

    /// <summary>Starts from a network's weights: sets weights and both averages.</summary>
    /// <param name="network">The network that the state was made for, initialised or loaded.</param>
    public void Initialize(IReadOnlyList<Parameter> network)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        for (int i = 0; i < network.Count; i++)
        {
            Span<byte> values = network[i].Value.to(ScalarType.Float32).contiguous().bytes;
            foreach (FlatTensor array in (FlatTensor[])[Weights, Short, Long])
                MemoryMarshal.Cast<byte, float>(values).CopyTo(array.Span[(int)Layout.Slots[i].Offset..]);
        }
    }

    /// <summary>Puts weights into a network, all of whose parameters are among the state's, in the dtypes that it wants.</summary>
    public void CopyTo(Network network, TrainedWeights which) => CopyTo(network.Parameters, which, network.Policy.NetworkDtype);

    /// <summary>Puts weights into parameters, all of which are among the state's.</summary>
    /// <param name="parameters">What gets them.</param>
    /// <param name="which">Weights, short or long average.</param>
    /// <param name="low">Dtype of those that do not stay float32.</param>
    public void CopyTo(IReadOnlyList<Parameter> parameters, TrainedWeights which, ScalarType low)
    {
        using var noGrad = torch.no_grad();
        Dictionary<string, Tensor> all = Export(which);
        foreach (Parameter parameter in parameters)
            parameter.Value = all[parameter.Name].to(parameter.KeepFloat32 ? ScalarType.Float32 : low);
    }

    /// <summary>Writes the state.</summary>
    /// <exception cref="ResourceException">The disk is full or not writable; the previous state is intact.</exception>
    public void Save(string path)
    {
        string temporary = path + ".part";
        try
        {
            using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20))
            {
                using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                void Write(ReadOnlySpan<byte> bytes)
                {
                    hash.AppendData(bytes);
                    file.Write(bytes);
                }
                byte[] header = JsonSerializer.SerializeToUtf8Bytes(
                    new Header(
                        Step,
                        Crops,
                        Pixels,
                        Seconds,
                        Rate,
                        [.. Balance.Means.Select(m => double.IsNaN(m) ? (double?)null : m)],
                        [.. Layout.Slots.Select(s => new Entry(s.Name, s.Shape))]
                    )
                );
                Write(Magic);
                Write(BitConverter.GetBytes((long)header.Length));
                Write(header);
                foreach (FlatTensor array in Arrays)
                foreach (ParameterLayout.Slot slot in Layout.Slots)
                    Write(MemoryMarshal.AsBytes(array.Span.Slice((int)slot.Offset, (int)slot.Length)));
                file.Write(hash.GetHashAndReset());
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ResourceException(
                $"The training state cannot be written: {e.Message.TrimEnd('.')}",
                path,
                "Free some disk space and start again: the run goes on from the last state, which is intact",
                e
            );
        }
    }

    /// <summary>Reads a state into this one; the network must have the same parameters.</summary>
    /// <exception cref="CheckpointException">Damaged, of another version or of another network.</exception>
    public void Load(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 20);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        CheckpointException Bad(string what, Exception? inner = null) =>
            new(what, path, "Use another copy, or delete it to start anew", inner);
        void Read(Span<byte> bytes)
        {
            try
            {
                file.ReadExactly(bytes);
            }
            catch (EndOfStreamException e)
            {
                throw Bad("The training state is cut short", e);
            }
            hash.AppendData(bytes);
        }
        Span<byte> start = stackalloc byte[16];
        Read(start);
        if (!start[..8].SequenceEqual(Magic))
            throw Bad("This is no training state of this version");
        long length = BitConverter.ToInt64(start[8..]);
        if (length is < 2 or > MaxHeader || length > file.Length)
            throw Bad("The training state has an impossible header");
        byte[] json = new byte[length];
        Read(json);
        Header header;
        try
        {
            header = JsonSerializer.Deserialize<Header>(json)!;
        }
        catch (JsonException e)
        {
            throw Bad("The training state's header is damaged", e);
        }
        Dictionary<string, ParameterLayout.Slot> slots = Layout.Slots.ToDictionary(s => s.Name);
        if (
            header.Parameters is null
            || header.Parameters.Length != slots.Count
            || !header.Parameters.All(e => slots.TryGetValue(e.Name, out ParameterLayout.Slot s) && s.Shape.SequenceEqual(e.Shape))
        )
            throw Bad("The training state belongs to another network");
        foreach (FlatTensor array in Arrays)
        foreach (Entry entry in header.Parameters)
            Read(MemoryMarshal.AsBytes(array.Span.Slice((int)slots[entry.Name].Offset, (int)slots[entry.Name].Length)));
        byte[] expected = hash.GetHashAndReset(),
            stored = new byte[expected.Length];
        try
        {
            file.ReadExactly(stored);
        }
        catch (EndOfStreamException e)
        {
            throw Bad("The training state is cut short", e);
        }
        if (!stored.AsSpan().SequenceEqual(expected))
            throw Bad("The training state is damaged: its checksum does not fit");
        (Step, Crops, Pixels, Seconds, Rate) = (header.Step, header.Crops, header.Pixels, header.Seconds, header.Rate);
        for (int i = 0; i < Balance.Means.Length; i++)
            Balance.Means[i] = i < header.LossMeans.Length ? header.LossMeans[i] ?? double.NaN : double.NaN;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (FlatTensor array in Arrays)
            array.Dispose();
    }

    private sealed record Header(
        long Step,
        long Crops,
        long Pixels,
        double Seconds,
        LearningRate Rate,
        double?[] LossMeans,
        Entry[] Parameters
    );

    private sealed record Entry(string Name, long[] Shape);
}

/// <summary>Which weights of a run.</summary>
public enum TrainedWeights
{
    /// <summary>Those of the last step.</summary>
    Last,

    /// <summary>The short average.</summary>
    ShortAverage,

    /// <summary>The long average.</summary>
    LongAverage,
}
