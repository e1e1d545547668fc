namespace Diffusion.Synthesis.Rendering;

/// <summary>Three planes of numbers. Renderers are plain loops over it: the same bits whatever number of threads libtorch has.</summary>
internal sealed class Canvas(int height, int width)
{
    /// <summary>Rows.</summary>
    public int Height => height;

    /// <summary>Columns.</summary>
    public int Width => width;

    /// <summary>Pixels.</summary>
    public int Area => height * width;

    /// <summary>The side of a square of equal area: sizes of particles are fractions of it.</summary>
    public double Unit { get; } = Math.Sqrt((double)height * width);

    /// <summary>Red, green and blue, row by row.</summary>
    public float[][] Planes { get; } = [new float[height * width], new float[height * width], new float[height * width]];

    /// <summary>The values of a picture.</summary>
    /// <param name="picture">[1,3,H,W]; borrowed.</param>
    public static Canvas From(Tensor picture)
    {
        if (picture.dim() != 4 || picture.shape[0] != 1 || picture.shape[1] != 3)
            throw new ArgumentException($"A colour picture is [1,3,H,W], not [{string.Join(',', picture.shape)}].", nameof(picture));
        Canvas canvas = new((int)picture.shape[2], (int)picture.shape[3]);
        float[] all = Floats(picture);
        for (int c = 0; c < 3; c++)
            all.AsSpan(c * canvas.Area, canvas.Area).CopyTo(canvas.Planes[c]);
        return canvas;
    }

    /// <summary>The values of a tensor in order.</summary>
    public static float[] Floats(Tensor tensor)
    {
        using Tensor flat = tensor.to(ScalarType.Float32).cpu().contiguous();
        return flat.data<float>().ToArray();
    }

    /// <summary>[1,3,H,W] rounded to 8 bits; the caller owns it.</summary>
    public Tensor ToTensor()
    {
        float[] all = new float[3 * Area];
        for (int c = 0; c < 3; c++)
            Planes[c].CopyTo(all, c * Area);
        return torch.tensor(all, [1, 3, height, width]);
    }

    /// <summary>Clips and rounds to 8 bits, as a file holds it.</summary>
    public Canvas Quantize()
    {
        foreach (float[] plane in Planes)
            for (int i = 0; i < plane.Length; i++)
                plane[i] = MathF.Floor(Math.Clamp(plane[i], 0f, 1f) * 255f + 0.5f) / 255f;
        return this;
    }

    /// <summary>Another canvas of the same size, each value by a function.</summary>
    public Canvas Map(Func<float, float> value)
    {
        Canvas result = new(height, width);
        for (int c = 0; c < 3; c++)
        for (int i = 0; i < Area; i++)
            result.Planes[c][i] = value(Planes[c][i]);
        return result;
    }

    /// <summary>0.299 R + 0.587 G + 0.114 B.</summary>
    public float[] Luma()
    {
        float[] luma = new float[Area];
        for (int i = 0; i < luma.Length; i++)
            luma[i] = 0.299f * Planes[0][i] + 0.587f * Planes[1][i] + 0.114f * Planes[2][i];
        return luma;
    }

    /// <summary>A value below which the given part of a plane lies.</summary>
    public static float Quantile(float[] plane, double part)
    {
        const int Bins = 1024;
        int[] counts = new int[Bins];
        foreach (float v in plane)
            counts[Math.Clamp((int)(v * (Bins - 1)), 0, Bins - 1)]++;
        long wanted = (long)(part * plane.Length),
            seen = 0;
        int bin = 0;
        while (bin < Bins - 1 && (seen += counts[bin]) <= wanted)
            bin++;
        return (float)bin / (Bins - 1);
    }

    /// <summary>The picture made smaller by averaging whole blocks, so that its unit is at most <paramref name="unit"/>.</summary>
    public Canvas Shrink(double unit) => ShrinkFactor(unit) is var f and > 1 ? Shrink(f) : this;

    /// <summary>A plane of this canvas's size made smaller as <see cref="Shrink(double)"/> does.</summary>
    public float[] Shrink(float[] plane, double unit) => ShrinkFactor(unit) is var f and > 1 ? Average(plane, f) : plane;

    /// <summary>How far the pictures of a pair are apart.</summary>
    public static Intensity Distance(Canvas a, Canvas b)
    {
        double sum = 0,
            squares = 0;
        for (int c = 0; c < 3; c++)
        {
            float[] p = a.Planes[c],
                q = b.Planes[c];
            for (int i = 0; i < p.Length; i++)
            {
                double d = Math.Abs(p[i] - q[i]);
                sum += d;
                squares += d * d;
            }
        }
        double count = 3.0 * a.Area,
            mu = sum / count;
        return new(mu, Math.Sqrt(Math.Max(0, squares / count - mu * mu)));
    }

    private int ShrinkFactor(double unit) => Math.Max(1, Math.Min((int)Math.Ceiling(Unit / unit), Math.Min(height, width) / 8));

    private Canvas Shrink(int factor)
    {
        Canvas small = new(height / factor, width / factor);
        for (int c = 0; c < 3; c++)
            Average(Planes[c], factor).CopyTo(small.Planes[c], 0);
        return small;
    }

    private float[] Average(float[] plane, int factor)
    {
        int h = height / factor,
            w = width / factor;
        float[] small = new float[h * w];
        for (int y = 0; y < h * factor; y++)
        for (int x = 0; x < w * factor; x++)
            small[y / factor * w + x / factor] += plane[y * width + x];
        for (int i = 0; i < small.Length; i++)
            small[i] /= factor * factor;
        return small;
    }
}
