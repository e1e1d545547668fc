using System.Globalization;
using System.Runtime.Intrinsics;
using Diffusion.Inverse;

namespace Diffusion.Operators;

/// <summary>Where the rays of a parallel-beam scan run.</summary>
/// <param name="Angles">Of the rays' normals, in radians from the columns' axis towards the rows': clockwise in the picture.</param>
/// <param name="Detector">Rays per angle.</param>
/// <param name="Pitch">Distance of two rays, in pixels of the picture.</param>
/// <param name="Center">Where the axis of rotation falls on the detector, counted from 0.</param>
/// <param name="OnPixel">Whether the axis goes through the pixel size / 2 of the picture instead of its middle.</param>
internal sealed record BeamGeometry(IReadOnlyList<double> Angles, int Detector, double Pitch, double Center, bool OnPixel)
{
    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Detector} {Pitch:R} {Center:R} {OnPixel} {string.Join(' ', Angles)}");

    /// <summary>Where the axis crosses a line of the picture.</summary>
    public double Axis(int size) => OnPixel ? size / 2 : (size - 1) / 2.0;

    /// <summary>What the line integrals are multiplied by, in pixels of the picture, so that the norm is about 1.</summary>
    // A constant picture of side n gives line integrals of about n: ||R||^2 is about n per angle.
    public double Scale(ImageShape picture) => 1 / Math.Sqrt(Angles.Count * Math.Max(picture.Height, picture.Width) / Pitch);
}

/// <summary>
/// The parallel rays of one angle. Ray s crosses a line (a row for steep rays, a column for flat ones) at start - line * slope + s *
/// step, in pixels of a line with one zero before and after.
/// </summary>
internal sealed class Rays
{
    private readonly double _start,
        _slope,
        _step;
    private readonly int _width,
        _detector;

    public Rays(double angle, ImageShape picture, BeamGeometry geometry)
    {
        (double sin, double cos) = Math.SinCos(angle);
        Steep = Math.Abs(cos) >= Math.Abs(sin);
        (double along, double across) = Steep ? (cos, sin) : (sin, cos);
        (int lines, int width) = Steep ? (picture.Height, picture.Width) : (picture.Width, picture.Height);
        (Length, _step, _slope) = (1 / Math.Abs(along), geometry.Pitch / along, across / along);
        (_width, _detector) = (width, geometry.Detector);
        _start = 1 + geometry.Axis(width) + geometry.Axis(lines) * _slope - geometry.Center * _step;
    }

    /// <summary>Whether the rays cross every row; otherwise they cross every column.</summary>
    public bool Steep { get; }

    /// <summary>Length of a ray between two lines, in pixels.</summary>
    public double Length { get; }

    public void Gather(ReadOnlySpan<Vector128<float>> line, int index, Span<Vector128<float>> sums)
    {
        double start = _start - index * _slope;
        (int begin, int end) = Crossing(start);
        for (int s = begin; s < end; s++)
        {
            double u = start + s * _step;
            int left = double.ConvertToIntegerNative<int>(u);
            sums[s] += line[left] + (float)(u - left) * (line[left + 1] - line[left]);
        }
    }

    public void Scatter(ReadOnlySpan<Vector128<float>> projection, int index, Span<Vector128<float>> line)
    {
        double start = _start - index * _slope;
        (int begin, int end) = Crossing(start);
        for (int s = begin; s < end; s++)
        {
            double u = start + s * _step;
            int left = double.ConvertToIntegerNative<int>(u);
            Vector128<float> right = (float)(u - left) * projection[s];
            line[left] += projection[s] - right;
            line[left + 1] += right;
        }
    }

    // The rays that meet the line between its two zeros.
    private (int Begin, int End) Crossing(double start)
    {
        bool Meets(int s) => start + s * _step is > 0 and var u && u < _width + 1;
        (double first, double last) = (-start / _step, (_width + 1 - start) / _step);
        if (first > last)
            (first, last) = (last, first);
        int begin = (int)Math.Clamp(Math.Floor(first), 0, _detector),
            end = (int)Math.Clamp(Math.Ceiling(last) + 1, begin, _detector);
        while (begin < end && !Meets(begin))
            begin++;
        while (end > begin && !Meets(end - 1))
            end--;
        return (begin, end);
    }
}
