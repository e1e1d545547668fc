using System.Globalization;
using Diffusion.Checkpoints;

namespace Diffusion.Networks.Layers;

/// <summary>What names and shapes show of a <see cref="ConvolutionStack"/>.</summary>
/// <param name="Inputs">Channels of the first input.</param>
/// <param name="Width">Channels between the convolutions.</param>
/// <param name="Outputs">Channels of the last output.</param>
/// <param name="Count">Number of convolutions.</param>
/// <param name="Numbering">How they are numbered.</param>
public sealed record StackShapes(int Inputs, int Width, int Outputs, int Count, StackNumbering Numbering)
{
    private static readonly string[] OfNorm = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];

    /// <summary>Reads the sequence <paramref name="name"/>; null when something is there that is no such sequence's.</summary>
    public static StackShapes? Read(ShapeTable shapes, string name = "model")
    {
        string start = $"{name}.";
        int[] numbers =
        [
            .. shapes
                .Names.Where(weight => weight.EndsWith(".weight", StringComparison.Ordinal) && shapes.Rank(weight) == 4)
                .Select(weight => weight.Split('.'))
                .Where(parts => parts.Length == start.Split('.').Length + 1)
                .Select(parts => int.TryParse(parts[^2], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1)
                .Order(),
        ];
        StackNumbering? numbering = Numberings(shapes)
            .Cast<StackNumbering?>()
            .FirstOrDefault(one => numbers.SequenceEqual(numbers.Select((_, i) => ConvolutionStack.Position(i, one!.Value))));
        if (
            numbers.Length < 2
            || numbering is null
            || shapes.Names.Any(weight => !IsOfStack(weight))
            || numbers.Any(number => shapes.Size($"{start}{number}.weight", 2) != 3 || !shapes.Has($"{start}{number}.bias"))
            || shapes.Size($"{start}0.weight", 1) is not { } inputs
            || shapes.Size($"{start}0.weight", 0) is not { } width
            || shapes.Size($"{start}{numbers[^1]}.weight", 0) is not { } outputs
        )
            return null;
        return new StackShapes(inputs, width, outputs, numbers.Length, numbering.Value);

        bool IsOfStack(string weight) =>
            weight.StartsWith(start, StringComparison.Ordinal)
            && weight[start.Length..].Split('.') is [var number, var what]
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out _)
            && OfNorm.Contains(what);
    }

    private static StackNumbering[] Numberings(ShapeTable shapes) =>
        shapes.Names.Any(name => name.EndsWith(".running_mean", StringComparison.Ordinal))
            ? [StackNumbering.BatchNorm]
            : [StackNumbering.Plain, StackNumbering.Merged];
}
