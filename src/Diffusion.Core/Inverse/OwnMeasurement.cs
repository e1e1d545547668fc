using System.Security.Cryptography;
using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>A user's own array of measured values, in the form that an operator makes of a picture.</summary>
public sealed class OwnMeasurement : IDisposable
{
    private readonly Tensor[] _made;

    /// <summary>Takes the tensors over and detaches them from dispose scopes.</summary>
    /// <param name="y">[1, Output] float32.</param>
    /// <param name="picture">The picture that the operator is to be bound to.</param>
    /// <param name="bind">The operator; null: the spec itself, bound to <paramref name="picture"/>.</param>
    /// <param name="made">What was taken from the data to make the operator.</param>
    public OwnMeasurement(Tensor y, ImageShape picture, Func<Device, LinearOperator>? bind = null, params Tensor[] made)
    {
        Y = y.DetachFromDisposeScope();
        Picture = picture;
        Bind = bind;
        foreach (Tensor tensor in made)
            tensor.DetachFromDisposeScope();
        _made = made;
    }

    /// <summary>[1, Output] float32. Owned.</summary>
    public Tensor Y { get; }

    /// <summary>The shape of the picture behind it.</summary>
    public ImageShape Picture { get; }

    /// <summary>The operator that measured it, for pictures of the shape <see cref="Picture"/>; null: the spec's own.</summary>
    public Func<Device, LinearOperator>? Bind { get; }

    /// <summary>What 1 in the picture stands for, in the units of the file.</summary>
    public double White { get; init; } = 1;

    /// <summary>One unit of the file's values in <see cref="Y"/>: what noise given in the file's units is multiplied by.</summary>
    public double Unit { get; init; } = 1;

    /// <summary>Tells operators apart that are made of the data itself; empty where the spec says all.</summary>
    public string Kind
    {
        get =>
            field ??= string.Concat(
                _made.Select(tensor =>
                {
                    using DisposeScope scope = torch.NewDisposeScope();
                    return Convert.ToHexStringLower(SHA256.HashData(tensor.cpu().contiguous().bytes));
                })
            );
        init;
    }

    /// <summary>What was found in the data and taken for granted, one sentence each, without a full stop.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <inheritdoc/>
    public void Dispose()
    {
        Y.Dispose();
        foreach (Tensor tensor in _made)
            tensor.Dispose();
    }
}

/// <summary>Which of a file's values are meant, and on what scale the picture behind them is.</summary>
/// <param name="Where">The file, for error messages.</param>
/// <param name="White">What 1 in the picture stands for; null: the operator's settings or the data decide.</param>
public sealed record OwnReading(string Where, double? White = null);
