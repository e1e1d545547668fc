namespace Diffusion.Synthesis.Rendering;

/// <summary>A curve on [0,1] as a table with linear interpolation: off by less than 2e-6 where it is used.</summary>
internal sealed class ToneCurve
{
    private const int Steps = 16384;
    private readonly float[] _table = new float[Steps + 2];

    /// <summary>Tabulates a curve.</summary>
    public ToneCurve(Func<double, double> curve)
    {
        for (int i = 0; i < _table.Length; i++)
            _table[i] = (float)curve(Math.Min(1, (double)i / Steps));
    }

    /// <summary>sRGB's coded values to linear light (IEC 61966-2-1).</summary>
    public static ToneCurve ToLinear { get; } = new(v => v <= 0.04045 ? v / 12.92 : Math.Pow((v + 0.055) / 1.055, 2.4));

    /// <summary>Linear light to sRGB's coded values.</summary>
    public static ToneCurve ToSrgb { get; } = new(v => v <= 0.0031308 ? 12.92 * v : 1.055 * Math.Pow(v, 1 / 2.4) - 0.055);

    /// <summary>The curve at a value, which is clipped to [0,1].</summary>
    public float At(float value)
    {
        float at = Math.Clamp(value, 0f, 1f) * Steps;
        int i = (int)at;
        return _table[i] + (at - i) * (_table[i + 1] - _table[i]);
    }
}
