using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>A file that holds a standard deviation for each value of a measurement.</summary>
public sealed class NoiseMap : IDisposable
{
    private readonly Measurement _file;
    private readonly string _path;

    private NoiseMap(Measurement file, string path) => (_file, _path) = (file, path);

    /// <summary>The file's name.</summary>
    public string Name => Path.GetFileName(_path);

    /// <summary>SHA-256 of the file.</summary>
    public string Sha256 => new FileHashes().Of(_path);

    /// <summary>Reads a picture, or an array of numbers.</summary>
    /// <exception cref="ImageException">It cannot be read, or holds values that are no standard deviations.</exception>
    public static NoiseMap Read(string path)
    {
        NoiseMap map = new(Measurement.Open(path), path);
        try
        {
            map.Check();
            return map;
        }
        catch
        {
            map.Dispose();
            throw;
        }
    }

    /// <summary>The standard deviations on [0,1] of a measurement.</summary>
    /// <param name="measurement">
    /// The measurement; borrowed. Where its range was given the map is in the numbers of its file too, otherwise on [0,1].
    /// </param>
    /// <returns>The shape of its values, float32; the caller owns it.</returns>
    /// <exception cref="ImageException">The map is of another size, or of another scale.</exception>
    public Tensor For(Measurement measurement)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double unit = measurement.Range is null ? 1 : _file.FullScale * measurement.Unit;
        return Of([.. measurement.Y.shape], measurement.Name, unit).MoveToOuterDisposeScope();
    }

    /// <summary>The standard deviations on [0,1] of values of this shape, [1, ...]; the caller owns them.</summary>
    /// <exception cref="ImageException">The map is of another size, or of another scale.</exception>
    internal Tensor Of(long[] shape, string name, double unit = 1)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        long[] own = _file.Y.shape;
        bool fits = own.AsSpan().SequenceEqual(shape),
            gray = shape is [1, _, _, _] && own is [1, 1, _, _] && own[2] == shape[2] && own[3] == shape[3];
        if (!fits && !gray)
            throw new ImageException(
                $"The noise map is {string.Join("x", own[1..])}, but the measurement \"{name}\" is {string.Join("x", shape[1..])}",
                _path,
                "Give each measured value one standard deviation"
            );
        Tensor map = (_file.Y * unit).expand(shape);
        double mean = map.mean().item<float>();
        if (mean > 1)
            throw new ImageException(
                FormattableString.Invariant($"The noise map's mean is {mean:0.###}, but standard deviations are on [0,1]"),
                _path,
                "Divide it by what the measurement's 1 stands for, or pass --range BLACK..WHITE, which the map then is in too"
            );
        return map.contiguous().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void Check()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        long wrong = _file.Y.le(0).sum().item<long>(),
            all = _file.Y.numel();
        if (_file.Known is { } known)
            wrong = _file.Y.le(0).logical_or(known.logical_not()).sum().item<long>();
        if (wrong > 0)
            throw new ImageException(
                $"{wrong} of {all} values of the noise map are 0, negative or no numbers, but standard deviations are greater than 0",
                _path,
                "Give them the smallest that is possible; values that are not measured are NaN in the measurement itself"
            );
    }
}
