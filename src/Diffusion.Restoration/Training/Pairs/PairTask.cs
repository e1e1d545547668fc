using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Networks;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>What a network shall learn from pairs.</summary>
public abstract record PairTask
{
    /// <summary>A network without weights.</summary>
    /// <param name="policy">How it computes.</param>
    /// <returns>The caller disposes it.</returns>
    public abstract Network Create(ComputePolicy policy);

    /// <summary>What is made small.</summary>
    /// <param name="network">A network of <see cref="Create"/> whose parameters want gradients.</param>
    /// <param name="batch">Crops of a step; borrowed.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="step">The step.</param>
    /// <param name="first">Number of the first crop within the step.</param>
    /// <returns>Loss, and mean squared error of what the network says, of each crop, [N]; the caller owns them.</returns>
    public abstract (Tensor Loss, Tensor Error) Loss(Network network, PairBatch batch, ulong seed, long step, int first);

    /// <summary>Looks at pairs that nothing was trained on.</summary>
    /// <param name="network">A network with weights.</param>
    /// <param name="held">The pairs; there may be none.</param>
    /// <param name="sheet">Where a sheet of pictures is drawn.</param>
    /// <returns>Numbers by name.</returns>
    public abstract IReadOnlyList<(string Name, double Value)> Validate(Network network, IReadOnlyList<TrainingPair> held, string sheet);

    /// <summary>What the card says of the network: its kind, its constructor arguments, and what else loading needs.</summary>
    public abstract JsonObject Card();

    /// <summary>The middle of a pair, as validation sees it.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="most">The longest side in pixels.</param>
    /// <param name="multiple">Sides are multiples of it.</param>
    /// <returns>Clean and degraded, [1,3,h,w] float32 on [0,1]; in the caller's dispose scope.</returns>
    private protected static (Tensor Clean, Tensor Degraded) Middle(TrainingPair pair, int most, int multiple)
    {
        int height = Math.Min(pair.Clean.Height, most) / multiple * multiple,
            width = Math.Min(pair.Clean.Width, most) / multiple * multiple;
        Tensor Of(TrainingPhoto photo) =>
            (Validation.ToTensor(photo) + 1)
                .div(2)
                .narrow(2, (photo.Height - height) / 2, height)
                .narrow(3, (photo.Width - width) / 2, width)
                .contiguous();
        return (Of(pair.Clean), Of(pair.Degraded));
    }

    /// <summary>Writes a sheet and frees its panels.</summary>
    private protected static void Draw(string path, IReadOnlyList<SheetPanel> panels)
    {
        using Tensor sheet = Sheet.Draw(panels, new SheetOptions { Columns = 6 });
        foreach (SheetPanel panel in panels)
            panel.Pixels.Dispose();
        ImageFile.Write(path, sheet, new WriteOptions { Overwrite = true });
    }
}
