using Diffusion.Checkpoints;
using Diffusion.Faces;
using Diffusion.Imaging;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Faces;

/// <summary>A portrait that ships with the reference numbers (NASA, public domain), and pictures made from it.</summary>
internal static class Astronaut
{
    /// <summary>[1,3,360,240] on [0,1].</summary>
    public static Tensor Portrait()
    {
        string file = Path.Combine(TestPaths.Repository, "tests", "parity", "mediapipe-face", "detector-short-tall", "tensors.safetensors");
        using ICheckpoint tensors = Checkpoint.Open(file);
        return FaceWeights.Picture(tensors.Tensors["image"].Read()).contiguous();
    }

    /// <summary>The face of the portrait as restorers want it: aligned, [1,3,side,side] on [0,1].</summary>
    public static Tensor Aligned(int side)
    {
        Tensor photo = Portrait();
        using FaceFinder finder = FaceFinder.Shipped();
        Tensor crop = FaceAlignment.By(finder.Find(photo)[0].Landmarks.Five).Crop(photo);
        return Resize.ToSize(crop, side, side).clamp(0, 1);
    }

    /// <summary>The portrait turned about its middle (degrees, clockwise) and scaled, on gray.</summary>
    public static Tensor Turned(double degrees, double scale, int height, int width)
    {
        Affine toPicture = Affine
            .Similarity(1, 0, -120, -180)
            .Then(Affine.Similarity(scale, degrees * Math.PI / 180, width / 2.0, height / 2.0));
        return Warp.Bilinear(Portrait(), toPicture.Inverse(), height, width, WarpEdge.Cut, [0.5f, 0.5f, 0.5f]);
    }
}
