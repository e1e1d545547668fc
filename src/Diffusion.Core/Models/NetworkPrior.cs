using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Models;

/// <summary>
/// A denoiser around a diffusion network: any size, labels, one time for the whole batch. Immutable; may be used by several threads.
/// </summary>
/// <param name="network">The network, loaded; disposed with the prior.</param>
/// <param name="info">What is known about it.</param>
public abstract class NetworkPrior(DiffusionNetwork network, PriorInfo info) : IDenoiser
{
    /// <inheritdoc/>
    public PriorInfo Info { get; } =
        info with
        {
            Channels = network.Channels,
            SizeMultiple = network.SizeMultiple,
            Classes = network.Classes,
            ReceptiveField = network.ReceptiveField ?? info.ReceptiveField,
            TilesBeyond = info.TilesBeyond ?? network.LargestSide,
            Memory = NetworkMemory.Of(network),
        };

    /// <summary>The network.</summary>
    public DiffusionNetwork Network { get; } = network;

    /// <inheritdoc/>
    public abstract Tensor Denoise(Tensor x, double sigma, in Condition condition = default);

    /// <summary>The network's output for pictures of any size at one time.</summary>
    /// <param name="x">[N,C,H,W] float32, borrowed.</param>
    /// <param name="time">Not necessarily an integer.</param>
    /// <param name="condition">Labels.</param>
    /// <returns>[N,out_channels,H,W]; the caller owns it.</returns>
    /// <exception cref="NumericalException">The network's output is not finite.</exception>
    protected Tensor Evaluate(Tensor x, double time, in Condition condition)
    {
        long[]? labels = Labels(x.shape[0], condition);
        using DisposeScope scope = torch.NewDisposeScope();
        Device device = Network.Policy.Device;
        Tensor padded = Padding.ToMultiple(x.to(device), Network.SizeMultiple);
        // One row of time for the whole batch: the embedding is computed once, and a picture's result does not depend on its neighbours.
        Tensor t = torch.tensor([(float)time], device: device);
        Tensor? rows = labels is null ? null : torch.tensor(labels, device: device);
        Tensor output = Network.Forward(padded, t, rows);
        if (!IsFinite(output))
            throw Diagnose(padded, t, rows);
        return Padding.Crop(output, x.shape[2], x.shape[3]).contiguous().to(x.device).MoveToOuterDisposeScope();
    }

    /// <summary>The sum is NaN or infinite if any value is; it is far cheaper than a test of each.</summary>
    private static bool IsFinite(Tensor x)
    {
        using IDisposable noGrad = torch.no_grad();
        using Tensor sum = x.sum(ScalarType.Float64);
        return double.IsFinite(sum.item<double>());
    }

    /// <summary>Evaluates once more to name the first module whose output is not finite.</summary>
    private NumericalException Diagnose(Tensor x, Tensor t, Tensor? labels)
    {
        if (!IsFinite(x))
            return new NumericalException(
                "The network was given NaN or infinity",
                Info.Name,
                "An earlier step of the solver diverged; use a smaller step or more noise"
            );
        string? first = null;
        Network.Forward(x, t, labels, (module, output) => first ??= IsFinite(output) ? null : module).Dispose();
        string remedy =
            Network.Policy.NetworkDtype == ScalarType.Float32
                ? "The input is far outside what the network was trained for, or the weights are damaged"
                : "Compute in float32";
        return new NumericalException("NaN or infinity appeared in the network", $"{Info.Name}, {first ?? "its output"}", remedy);
    }

    private long[]? Labels(long batch, in Condition condition)
    {
        if (Info.Classes is not { } classes)
            return null;
        long[] labels = condition.Labels
            ?? throw new ArgumentException($"The prior {Info.Name} is conditional on {classes} classes. Give one class label per picture.");
        if (labels.Length != batch)
            throw new ArgumentException($"There are {labels.Length} class labels for {batch} pictures. Give one per picture.");
        foreach (long label in labels)
            if (label < 0 || label >= classes)
                throw new ArgumentException($"The class label {label} is outside 0..{classes - 1}.");
        return labels;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Network.Dispose();
        GC.SuppressFinalize(this);
    }
}
