using System.Globalization;

namespace Diffusion.Inverse;

/// <summary>Gaussian noise of a batch of measurements: one standard deviation for all pictures, or one for each.</summary>
public sealed class GaussianNoise
{
    private readonly double[] _sigmas;

    /// <summary>The noise.</summary>
    /// <param name="sigmas">One standard deviation for all pictures, or one per picture: 0 or more.</param>
    /// <exception cref="ArgumentException">There are none, or one is negative or not finite.</exception>
    public GaussianNoise(params IReadOnlyList<double> sigmas)
    {
        _sigmas = [.. sigmas];
        if (_sigmas.Length == 0)
            throw new ArgumentException("Noise needs one standard deviation, or one per picture.", nameof(sigmas));
        foreach (double sigma in _sigmas)
            if (!(sigma >= 0) || double.IsInfinity(sigma))
                throw new ArgumentException(
                    string.Create(CultureInfo.InvariantCulture, $"The noise level must be 0 or more, not {sigma}."),
                    nameof(sigmas)
                );
    }

    /// <summary>The same noise for all pictures.</summary>
    public static implicit operator GaussianNoise(double sigma) => new(sigma);

    /// <summary>The standard deviation of all pictures; null where they differ.</summary>
    public double? Common => Array.TrueForAll(_sigmas, sigma => sigma == _sigmas[0]) ? _sigmas[0] : null;

    /// <summary>The standard deviation of one picture.</summary>
    public double this[int picture] => _sigmas.Length == 1 ? _sigmas[0] : _sigmas[picture];

    /// <summary>The noise of the same measurements times <paramref name="factor"/>.</summary>
    public static GaussianNoise operator *(GaussianNoise noise, double factor) => new([.. noise._sigmas.Select(sigma => sigma * factor)]);

    /// <summary>Whether it is for a batch of so many pictures.</summary>
    public bool IsFor(long pictures) => _sigmas.Length == 1 || _sigmas.Length == pictures;

    /// <summary>The noise of some of the pictures, in their order.</summary>
    public GaussianNoise Select(IReadOnlyList<int> pictures) => new([.. pictures.Select(picture => this[picture])]);

    /// <summary>The pictures of a batch that share a noise level: ascending in a group, groups in the order of their first ones.</summary>
    /// <param name="pictures">Number of pictures.</param>
    public IReadOnlyList<IReadOnlyList<int>> Groups(int pictures) =>
        [.. Enumerable.Range(0, pictures).GroupBy(picture => this[picture]).Select(group => (int[])[.. group])];

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", _sigmas.Select(sigma => sigma.ToString(CultureInfo.InvariantCulture)));
}
