namespace Diffusion.Sampling;

/// <summary>The times and noise levels that published samplers visit.</summary>
public static class TimeSequences
{
    /// <summary>
    /// Evenly spread times in each of <paramref name="counts"/>.Count equal sections of the schedule, as guided-diffusion's
    /// <c>space_timesteps</c>.
    /// </summary>
    /// <returns>Ascending times.</returns>
    /// <exception cref="ArgumentException">A count exceeds its section.</exception>
    /// <exception cref="ArgumentException">A section has fewer steps than are asked of it.</exception>
    public static int[] Spaced(int steps, IReadOnlyList<int> counts)
    {
        SortedSet<int> times = [];
        int start = 0;
        for (int section = 0; section < counts.Count; section++)
        {
            int size = steps / counts.Count + (section < steps % counts.Count ? 1 : 0),
                count = counts[section];
            if (count > size)
                throw new ArgumentException($"{count} steps were asked for in a section of {size}.");
            double stride = count <= 1 ? 1 : (size - 1.0) / (count - 1),
                position = 0;
            for (int k = 0; k < count; k++, position += stride)
                times.Add(start + (int)Math.Round(position, MidpointRounding.ToEven));
            start += size;
        }
        return [.. times];
    }

    /// <summary>The sequence of RDMD and DiffPIR as indices from the noisiest: index s means time T-1-s.</summary>
    /// <param name="skip">
    /// <c>quad</c>: roots of equally spaced squares, most of them at low noise. <c>uniform</c>: equal strides, and the last time too, so
    /// one more than asked for where the stride exceeds 1.
    /// </param>
    /// <param name="iterations">Number of steps asked for.</param>
    /// <param name="steps">T.</param>
    /// <exception cref="ArgumentException">Another kind, or a number of steps outside 1..T.</exception>
    public static int[] Skipping(string skip, int iterations, int steps = 1000)
    {
        CheckCount(iterations, steps);
        switch (skip)
        {
            case "quad":
                int[] roots = [.. Spacing.Linear(0, (double)steps * steps, iterations).Select(square => (int)Math.Sqrt(square))];
                if (iterations > 1)
                    roots[^1]--;
                return roots;
            case "uniform":
                int stride = steps / iterations;
                IEnumerable<int> indices = Enumerable.Range(0, iterations).Select(k => k * stride);
                return [.. stride > 1 ? indices.Append(steps - 1) : indices];
            default:
                throw new ArgumentException($"Unknown kind of steps \"{skip}\". Use quad or uniform.");
        }
    }

    /// <summary>
    /// Noise levels of half-quadratic splitting (DPIR), with equally spaced logarithms; float32 in units of 255, then divided.
    /// </summary>
    /// <param name="first">First level times 255 (published: 49).</param>
    /// <param name="last">Last level times 255.</param>
    /// <param name="count">Number of levels.</param>
    public static float[] DenoiserLevels(double first, double last, int count) =>
        [.. Spacing.Logarithmic(first, last, count).Select(level => (float)level / 255f)];

    /// <summary>DDRM's times, ascending: 0, T/n, 2T/n, ... (integer division: more than n where n does not divide T).</summary>
    public static int[] Strided(int steps, int count)
    {
        CheckCount(count, steps);
        int stride = steps / count;
        return [.. Enumerable.Range(0, (steps + stride - 1) / stride).Select(k => k * stride)];
    }

    /// <summary>DDNM's and DDPG's times, ascending: the first <paramref name="count"/> multiples of T/n (integer division).</summary>
    public static int[] Multiples(int steps, int count)
    {
        CheckCount(count, steps);
        return [.. Enumerable.Range(0, count).Select(k => k * (steps / count))];
    }

    /// <summary>
    /// DDNM's schedule with time travel (RePaint): counts down from n, going back <paramref name="travelLength"/> steps <paramref
    /// name="travelRepeat"/>-1 times at every multiple of it; ends with -1.
    /// </summary>
    /// <param name="count">n: sampling steps; multiply the entries (but -1) by T / n for times.</param>
    /// <param name="travelLength">L.</param>
    /// <param name="travelRepeat">How often each stretch is walked.</param>
    /// <exception cref="ArgumentException">A number is below 1, or a stretch is longer than the schedule.</exception>
    public static int[] TimeTravel(int count, int travelLength, int travelRepeat)
    {
        if (count < 1 || travelLength < 1 || travelRepeat < 1)
            throw new ArgumentException(
                $"Time travel needs steps, length and repeats of at least 1, not {count}, {travelLength}, {travelRepeat}."
            );
        Dictionary<int, int> jumps = [];
        for (int j = 0; j < count - travelLength; j += travelLength)
            jumps[j] = travelRepeat - 1;
        List<int> times = [];
        int t = count;
        while (t >= 1)
        {
            times.Add(--t);
            if (jumps.GetValueOrDefault(t) <= 0)
                continue;
            jumps[t]--;
            for (int k = 0; k < travelLength; k++)
                times.Add(++t);
        }
        times.Add(-1);
        return [.. times];
    }

    /// <summary>CM4IR's levels: alpha_0 = alphaBar_{iN+1}, alpha_{k+1} = min(alpha_k (1 + gamma), alpha-max), float32.</summary>
    /// <param name="schedule">The published tables.</param>
    /// <param name="start">iN.</param>
    /// <param name="gamma">Growth a step.</param>
    /// <param name="count">Number of levels.</param>
    /// <param name="most">Their ceiling.</param>
    public static float[] GrowingAlphas(PublishedSchedule schedule, int start, double gamma, int count, double most = 0.9999)
    {
        float[] alphas = new float[count];
        for (int k = 0; k < count; k++)
            alphas[k] = k == 0 ? schedule.AlphaBarAt(start + 1) : Math.Clamp(alphas[k - 1] * (float)(1 + gamma), 0f, (float)most);
        return alphas;
    }

    private static void CheckCount(int count, int steps)
    {
        if (count < 1 || count > steps)
            throw new ArgumentException($"{count} steps were asked for of a schedule of {steps}. Ask for 1 to {steps}.");
    }
}
