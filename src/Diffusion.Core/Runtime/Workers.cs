namespace Diffusion.Runtime;

/// <summary>Runs pieces of a kernel on as many threads as libtorch may use.</summary>
public static class Workers
{
    /// <summary>Calls <paramref name="body"/> with 0..<paramref name="count"/>-1, each once, in any order.</summary>
    public static void Run(int count, Action<int> body)
    {
        int threads = Math.Min(count, torch.get_num_threads());
        if (threads <= 1)
        {
            for (int i = 0; i < count; i++)
                body(i);
            return;
        }
        if (OpenMp.IsThere)
            OpenMp.Run(count, threads, body);
        else
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, body);
    }
}
