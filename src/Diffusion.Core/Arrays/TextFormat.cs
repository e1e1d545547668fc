using System.Globalization;
using Diffusion.Runtime;

namespace Diffusion.Arrays;

/// <summary>
/// A text of numbers: one row a line, with blanks, tabs, commas or semicolons between; lines that begin with # or % are remarks.
/// </summary>
internal static class TextFormat
{
    private static readonly char[] Between = [' ', '\t', ',', ';'];

    /// <summary>[rows, columns].</summary>
    /// <exception cref="ImageException">A word that is no number, or rows of unequal length.</exception>
    public static NumericArray Read(Stream stream, string where)
    {
        List<double> values = [];
        int rows = 0,
            columns = 0,
            number = 0;
        using StreamReader reader = new(stream, leaveOpen: true);
        while (reader.ReadLine() is { } line)
        {
            number++;
            string[] words = line.Split(Between, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (words.Length == 0 || words[0][0] is '#' or '%')
                continue;
            if (rows > 0 && words.Length != columns)
                throw new ImageException(
                    $"The rows are not of one length: line {number} has {words.Length} numbers, the lines before have {columns}",
                    where,
                    "Write rows of one length"
                );
            foreach (string word in words)
                values.Add(
                    double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
                        ? value
                        : throw new ImageException(
                            $"\"{(word.Length > 40 ? word[..40] + "..." : word)}\" is no number; it stands in line {number}",
                            where,
                            "Write one row a line, with blanks or commas between the numbers"
                        )
                );
            (rows, columns) = (rows + 1, words.Length);
        }
        return rows == 0
            ? throw new ImageException("The file holds no numbers", where, "Write one row a line, with blanks or commas between")
            : new NumericArray(torch.tensor(values.ToArray(), dtype: ScalarType.Float64).reshape(rows, columns), SampleType.Float64);
    }
}
