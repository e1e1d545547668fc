using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>One colour per pixel, as a camera's sensor sees it: demosaicing. A A^T = I.</summary>
[Operator(
    "bayer",
    About = "One colour per pixel by a Bayer or X-Trans pattern: demosaicing",
    Examples = "bayer\nbayer:pattern=grbg\nbayer:pattern=xtrans"
)]
public sealed record Bayer : OperatorSpec
{
    /// <summary>
    /// The colours of the block from the upper left: rggb, bggr, grbg, gbrg, xtrans, or its letters row by row in any case.
    /// </summary>
    [Setting]
    public ColorPattern Pattern { get; init; } = ColorPattern.Rggb;

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        if (input.Channels != 3)
            throw Error($"A Bayer pattern has three colours, but the picture has {input.Channels} channel(s)", "Use a colour picture");
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor mask = torch.zeros(3, input.Height, input.Width, device: device);
        for (int row = 0; row < Math.Min(Pattern.Side, input.Height); row++)
        for (int column = 0; column < Math.Min(Pattern.Side, input.Width); column++)
            mask.select(0, Pattern.ColorAt(row, column))
                .slice(0, row, input.Height, Pattern.Side)
                .slice(1, column, input.Width, Pattern.Side)
                .fill_(1);
        return new Mosaic(input, mask, Pattern);
    }

    /// <inheritdoc/>
    public override AreaOperators ByArea(ImageShape picture, Device device) =>
        new(Pattern.Side, Pattern.IsBayer ? 2 : 2 * Mosaic.Reach, 1, area =>
            Bind(picture with { Height = area.Height, Width = area.Width }, device)
        );

    private sealed class Mosaic(ImageShape input, Tensor mask, ColorPattern pattern) : OrthogonalRowsOperator
    {
        /// <summary>How far a colour is looked for in patterns other than Bayer's.</summary>
        public const int Reach = 3;

        // In eighths: green from its four neighbours; red or blue from the left and right; from the corners.
        private static readonly float[] Cross = [0, 0, -1, 0, 0, 0, 0, 2, 0, 0, -1, 2, 4, 2, -1, 0, 0, 2, 0, 0, 0, 0, -1, 0, 0],
            Along = [0, 0, 0.5f, 0, 0, 0, -1, 0, -1, 0, -1, 4, 5, 4, -1, 0, -1, 0, -1, 0, 0, 0, 0.5f, 0, 0],
            Corners = [0, 0, -1.5f, 0, 0, 0, 2, 0, 2, 0, -1.5f, 0, 6, 0, -1.5f, 0, 2, 0, 2, 0, 0, 0, -1.5f, 0, 0];

        private readonly Tensor _mask = mask.DetachFromDisposeScope();

        public override ImageShape Input { get; } = input;
        public override MeasurementShape Output { get; } = new(new ImageShape(1, input.Height, input.Width));
        public override OperatorTraits Traits { get; } =
            new()
            {
                OrthonormalRows = true,
                Local = (pattern.Side, 1),
                ClosedForm = true,
                Classical = "demosaicing",
                Mosaic = (pattern.Side, pattern.ColorAt),
            };
        public override Device Device => _mask.device;

        public override Tensor Apply(Tensor x)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            return (x * _mask).sum(1, keepdim: true).MoveToOuterDisposeScope();
        }

        public override Tensor Adjoint(Tensor y) => y * _mask;

        /// <summary>
        /// Demosaicing by Malvar, He and Cutler, "High-quality linear interpolation for demosaicing of Bayer-patterned color images"
        /// (ICASSP 2004): bilinear interpolation, corrected by the gradient of the colour that the
        /// pixel does have. Pictures of one or two lines are interpolated alone, and of other patterns the differences to an interpolated
        /// green.
        /// </summary>
        public override Tensor Guess(Tensor y, SolveRequest? request = null)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            if (Input.Height < 3 || Input.Width < 3)
                return Interpolate(y * _mask, 1).MoveToOuterDisposeScope();
            if (!pattern.IsBayer)
                return GreenFirst(y).MoveToOuterDisposeScope();
            // Mirrored about the outermost pixels, so that the pattern goes on.
            Tensor filtered = torch.nn.functional.conv2d(torch.nn.functional.pad(y, [2, 2, 2, 2], PaddingModes.Reflect), Filters(y.device));
            (Tensor cross, Tensor along, Tensor across, Tensor corners) = (
                filtered.narrow(1, 0, 1),
                filtered.narrow(1, 1, 1),
                filtered.narrow(1, 2, 1),
                filtered.narrow(1, 3, 1)
            );
            (Tensor red, Tensor green, Tensor blue) = (_mask[0], _mask[1], _mask[2]);
            return torch.cat([Other(red, blue), green * y + (1 - green) * cross, Other(blue, red)], 1).MoveToOuterDisposeScope();

            // Red or blue: between its like in its own rows, above or below it in the others, in the middle of four at the opposite colour.
            Tensor Other(Tensor own, Tensor opposite)
            {
                Tensor rows = own.amax([1L], keepdim: true);
                return own * y + green * (rows * along + (1 - rows) * across) + opposite * corners;
            }
        }

        // [4,1,5,5].
        private static Tensor Filters(Device device)
        {
            Tensor along = Filter(Along);
            return (torch.stack([Filter(Cross), along, along.t(), Filter(Corners)]) / 8).unsqueeze(1).to(device);

            static Tensor Filter(float[] values) => torch.tensor(values).reshape(5, 5);
        }

        // Colours differ little in their detail: red and blue are smooth but for green's.
        private Tensor GreenFirst(Tensor y)
        {
            Tensor known = y * _mask,
                green = Interpolate(known, 2).narrow(1, 1, 1),
                differences = Interpolate((known - green) * _mask, Reach);
            return known + (1 - _mask) * (green + differences);
        }

        // Known values stay; the others are means of those around, weighted by a binomial window.
        private Tensor Interpolate(Tensor known, int reach)
        {
            Tensor line = torch.tensor([1f, 2f, 1f], device: known.device);
            for (int i = 1; i < reach; i++)
                line = torch
                    .nn.functional.conv1d(
                        line.reshape(1, 1, -1),
                        torch.tensor([1f, 2f, 1f], device: known.device).reshape(1, 1, 3),
                        padding: 2
                    )
                    .reshape(-1);
            long size = 2 * reach + 1;
            Tensor kernel = torch.outer(line, line).expand(3, 1, size, size);
            Tensor Around(Tensor t) => torch.nn.functional.conv2d(t, kernel, padding: [(long)reach, reach], groups: 3);
            return known + (1 - _mask) * Around(known) / Around(_mask.unsqueeze(0)).clamp_min(1e-6);
        }

        public override void Dispose()
        {
            _mask.Dispose();
            base.Dispose();
        }
    }
}
