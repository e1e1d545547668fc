using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>Makes one result of several: the channels of a picture, or the pages of a stack.</summary>
internal static class JoinedPictures
{
    /// <summary>One picture of pictures of its channels.</summary>
    /// <param name="channels">Each of one channel; taken over.</param>
    public static RestoredPicture OfChannels(IReadOnlyList<RestoredPicture> channels)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Picture Join(Func<RestoredPicture, Picture> one)
        {
            Picture first = one(channels[0]);
            return new Picture(torch.cat([.. channels.Select(c => one(c).Pixels)], 1), first.Alpha?.clone())
            {
                Name = first.Name,
                BitDepth = first.BitDepth,
                FullScale = first.FullScale,
                Range = first.Range,
                Metadata = first.Metadata,
            };
        }
        Tensor Stack(Func<SampleSpread, Tensor> one) => torch.cat([.. channels.Select(c => one(c.Spread!))], 1).DetachFromDisposeScope();
        RestoredPicture joined = Summary(channels, Join(c => c.Picture)) with
        {
            Samples = [.. Enumerable.Range(0, channels[0].Samples.Count).Select(i => Join(c => c.Samples[i]))],
            Spread = channels[0].Spread is { } spread
                ? new SampleSpread
                {
                    Count = spread.Count,
                    Mean = Stack(s => s.Mean),
                    Deviation = Stack(s => s.Deviation),
                }
                : null,
        };
        foreach (RestoredPicture channel in channels)
            channel.Dispose();
        return joined;
    }

    /// <summary>One result of the pages of a stack, which it takes over; a single page is itself.</summary>
    public static RestoredPicture OfPages(IReadOnlyList<RestoredPicture> pages) =>
        pages.Count == 1 ? pages[0] : Summary(pages, pages[0].Picture) with { Parts = pages };

    private static RestoredPicture Summary(IReadOnlyList<RestoredPicture> parts, Picture picture) =>
        parts[0] with
        {
            Picture = picture,
            Samples = [],
            Spread = null,
            Noise = parts.All(part => part.Noise is not null) ? parts.Average(part => part.Noise) : null,
            Seconds = parts.Sum(part => part.Seconds),
            Evaluations = parts.Max(part => part.Evaluations),
            WhitenedResidual = parts.All(part => part.WhitenedResidual is not null) ? parts.Average(part => part.WhitenedResidual) : null,
            Hint = parts.Select(part => part.Hint).FirstOrDefault(hint => hint is not null),
        };
}
