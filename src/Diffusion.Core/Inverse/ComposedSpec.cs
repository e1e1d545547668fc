using Diffusion.Arrays;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Inverse;

/// <summary>Operators one after another, written with <c>|</c>; the picture passes through the leftmost first.</summary>
public sealed record ComposedSpec : OperatorSpec
{
    private ComposedSpec(IReadOnlyList<OperatorSpec> parts) => Parts = parts;

    /// <summary>The operators in the order of application; at least two, none of them composed itself.</summary>
    public IReadOnlyList<OperatorSpec> Parts { get; }

    /// <inheritdoc/>
    public override string Name => string.Join("|", Parts.Select(p => p.Name));

    /// <summary>Joins specs; composed ones are flattened, and one alone stays itself.</summary>
    /// <exception cref="ArgumentException">There is no spec.</exception>
    public static OperatorSpec Of(params IEnumerable<OperatorSpec> parts)
    {
        OperatorSpec[] flat = [.. parts.SelectMany(p => p is ComposedSpec composed ? composed.Parts : [p])];
        return flat.Length switch
        {
            0 => throw new ArgumentException("A composition needs at least one operator.", nameof(parts)),
            1 => flat[0],
            _ => new ComposedSpec(flat),
        };
    }

    /// <inheritdoc/>
    public bool Equals(ComposedSpec? other) => other is not null && Parts.SequenceEqual(other.Parts);

    /// <inheritdoc/>
    public override int GetHashCode() => Parts.Aggregate(17, (hash, part) => hash * 31 + part.GetHashCode());

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        LinearOperator? chain = null;
        try
        {
            foreach (OperatorSpec part in Parts)
            {
                if (chain is not null && !chain.Output.IsImage)
                    throw Error(
                        $"The measurement of the operator before \"{part.Name}\" is no picture",
                        $"Put \"{part.Name}\" first, or leave it out"
                    );
                LinearOperator next = part.Bind(chain?.Output.Image ?? input, device);
                chain = chain is null ? next : ComposedOperator.Of(chain, next);
            }
            return chain!;
        }
        catch
        {
            chain?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override AreaOperators? ByArea(ImageShape picture, Device device)
    {
        AreaOperators? chain = null;
        foreach (OperatorSpec part in Parts)
        {
            using LinearOperator? sample = chain?.Bind(
                new PictureArea(0, 0, Math.Min(picture.Height, 8 * chain.Period), Math.Min(picture.Width, 8 * chain.Period))
            );
            ImageShape seen = sample is null
                ? picture
                : new ImageShape(sample.Output.Image.Channels, picture.Height / chain!.Reduction, picture.Width / chain.Reduction);
            if (part.ByArea(seen, device) is not { } next)
            {
                chain?.Dispose();
                return null;
            }
            chain = chain is null ? next : chain.Then(next);
        }
        return chain;
    }

    /// <inheritdoc/>
    public override bool TakesArrays => Parts[^1].TakesArrays;

    /// <summary>The last operator's reading; its picture is what the operators before it make.</summary>
    public override OwnMeasurement Own(NumericArray array, OwnReading reading) => Parts[^1].Own(array, reading);

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notes() => [.. Parts.SelectMany(p => p.Notes())];

    /// <inheritdoc/>
    public override IReadOnlyList<string> Files() => [.. Parts.SelectMany(p => p.Files())];

    /// <inheritdoc/>
    protected override void Validate()
    {
        foreach (OperatorSpec part in Parts)
            part.Check();
    }

    internal override IReadOnlyList<(Setting Setting, object? Value)> Values() => [];

    internal override string Print() => string.Join("|", Parts.Select(p => p.ToString()));
}
