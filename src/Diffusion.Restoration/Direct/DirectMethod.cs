using System.Diagnostics;
using System.Text.Json.Nodes;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Direct;

/// <summary>Restores in one evaluation of a network that was trained for it: what <c>--model FILE</c> calls.</summary>
[RestorationMethod("direct", "Restores by the weights of a network that was trained for it: a NAFNet's file, or its name in the catalogue")]
public sealed record DirectMethod : IRestorationMethod
{
    private const int ProbeSide = 128;
    private PictureNetwork? _network;
    private double? _secondsPerPixel;

    /// <summary>The weight file, or its name in the catalogue.</summary>
    [Setting]
    public string Weights { get; init; } = "";

    /// <summary>
    /// Side of the pictures that it was trained on, where attention shall be computed in windows in their measure; 0: as the file or the
    /// catalogue say, -1: over the whole picture.
    /// </summary>
    [Setting(Unit = "pixels", Min = -1, Max = 65536)]
    public int TrainSize { get; init; }

    internal ComputePolicy Policy { get; private set; } = new();

    internal string Kind { get; private set; } = "";

    internal NetworkMemory Memory { get; private set; }

    internal PictureNetwork Network =>
        _network ?? throw new InvalidOperationException("The method is not open yet. A RestorationRunner opens what it is given.");

    internal int Channels => Network.Channels!.Value;

    /// <inheritdoc/>
    /// <exception cref="CheckpointException">There is no such file, or it restores no pictures.</exception>
    public void Open(ComputePolicy policy)
    {
        if (Weights.Length == 0)
            throw new CheckpointException("It is not said which weights restore", "weights", "Give --model FILE");
        Policy = policy;
        PictureNetworkFile file = PictureNetworkFile.Find(Weights);
        if (TrainSize != 0)
            file = file with { Architecture = file.Architecture with { Config = Windowed(file.Architecture.Config) } };
        _network = file.Load(policy);
        (Kind, Memory) = (file.Architecture.Kind, NetworkMemory.Of(_network));
    }

    /// <inheritdoc/>
    /// <exception cref="ImageException">It is no picture.</exception>
    public string KindOf(Measurement measurement) => DirectRestoration.ShapeOf(measurement).ToString();

    /// <inheritdoc/>
    public IRestoration Begin(IReadOnlyList<Measurement> batch) => new DirectRestoration(this, batch);

    /// <inheritdoc/>
    public double SecondsPerPixel(Measurement measurement) => _secondsPerPixel ??= Measured();

    /// <inheritdoc/>
    public void Dispose() => _network?.Dispose();

    private JsonObject Windowed(JsonObject config)
    {
        JsonObject changed = config.DeepClone().AsObject();
        changed["train_size"] = TrainSize > 0 ? new JsonArray(TrainSize, TrainSize) : null;
        changed["base_size"] = null;
        return changed;
    }

    private double Measured()
    {
        using ComputeScope scope = new();
        Tensor probe = torch.full([1, Channels, ProbeSide, ProbeSide], 0.5f, device: Policy.Device);
        // The first evaluation prepares kernels.
        Network.Restore(probe);
        Stopwatch watch = Stopwatch.StartNew();
        Network.Restore(probe);
        return watch.Elapsed.TotalSeconds / (ProbeSide * ProbeSide);
    }
}
