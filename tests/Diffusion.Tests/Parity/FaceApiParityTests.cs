using System.Text.Json;
using Diffusion.Faces;
using Diffusion.Networks.FaceApi;

namespace Diffusion.Tests.Parity;

/// <summary>Family <c>faceapi</c>: detector, 68 landmarks, descriptor and pipeline of face-api.</summary>
public sealed class FaceApiParityTests
{
    private const string Detector = "tiny_face_detector_model",
        Landmarks = "face_landmark_68_model",
        TinyLandmarks = "face_landmark_68_tiny_model",
        Recognition = "face_recognition_model";

    public static TheoryData<string> Cases => ParityCase.All("faceapi");

    [Theory, MemberData(nameof(Cases))]
    public void Networks_and_pipeline_give_the_recorded_numbers(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Text("scale", "pad", "resize", "alignment", "order");
        Tensor picture = FaceWeights.Picture(reference.Input("image"));
        switch (config.OneOf("kind", "detector", "landmarks", "descriptor", "pipeline"))
        {
            case "detector":
                Detect(reference, config, picture);
                break;
            case "landmarks":
                Land(reference, config, picture);
                break;
            case "descriptor":
                Describe(reference, config, picture);
                break;
            default:
                Pipeline(reference, config, picture);
                break;
        }
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    private static void Detect(ParityCase reference, ConfigNode config, Tensor picture)
    {
        config.Only("model", Detector);
        config.Only("leaky_slope", 0.1);
        double[] mean = config.Doubles("mean_rgb");
        TinyFaceDetectorNetwork network = TinyFaceDetectorNetwork.Load(FaceWeights.Folder(config, $"{Detector}.bin"));
        using TinyFaceDetector detector = new(network, Anchors(config));
        foreach (int size in config.Ints("input_sizes"))
        {
            Tensor square = SquareInput.Square(picture, size, centered: false);
            Check(reference, $"resized.{size}", Rows(square * 255));
            string[] modules = ["conv0", "conv1", "conv2", "conv3", "conv4", "conv5"];
            Tensor raw = network.Forward(SquareInput.Normalize(square, mean), NetworkCase.Compare(reference, $"{size}.", modules, 1));
            Check(reference, $"raw.{size}", raw);
            foreach (JsonElement number in config.Raw("score_thresholds").EnumerateArray())
            {
                double threshold = number.GetDouble(),
                    overlap = config.Has("iou_threshold") ? config.Double("iou_threshold") : 0.4;
                IReadOnlyList<DetectedFace> faces = detector.Read(
                    raw,
                    (int)picture.shape[3],
                    (int)picture.shape[2],
                    size,
                    threshold,
                    overlap
                );
                Check(reference, $"detections.{size}.{number.GetRawText()}", Table(faces));
            }
        }
    }

    private static void Land(ParityCase reference, ConfigNode config, Tensor picture)
    {
        config.Only("landmark_input", FaceLandmarkNetwork.InputSize);
        double[] mean = config.Doubles("mean_rgb");
        Tensor square = SquareInput.Square(picture, FaceLandmarkNetwork.InputSize, centered: true);
        Check(reference, "input.112", Rows(square * 255));
        foreach (string model in config.Has("models") ? config.Strings("models") : [config.String("model")])
        {
            Assert.Contains(model, new[] { Landmarks, TinyLandmarks });
            bool tiny = model == TinyLandmarks;
            string suffix = tiny ? "68tiny" : "68";
            FaceLandmarkNetwork network = FaceLandmarkNetwork.Load(FaceWeights.Folder(config, $"{model}.bin"), tiny);
            using Landmarks68 landmarks = new(network);
            string[] blocks = ["dense0", "dense1", "dense2", "dense3"];
            Tensor raw = network.Forward(
                SquareInput.Normalize(square, mean),
                NetworkCase.Compare(reference, tiny ? "tiny." : "", blocks, 1)
            );
            Check(reference, $"raw.{suffix}", raw);
            IReadOnlyList<(double X, double Y)> relative = Landmarks68.Relative(
                raw.data<float>().ToArray(),
                (int)picture.shape[3],
                (int)picture.shape[2]
            );
            Check(reference, $"relative.{suffix}", Table(relative).reshape(1, -1));
            Check(reference, $"pixels.{suffix}", Table(landmarks.Find(picture)));
        }
    }

    private static void Describe(ParityCase reference, ConfigNode config, Tensor picture)
    {
        config.Only("model", Recognition);
        config.Only("descriptor_input", FaceDescriptorNetwork.InputSize);
        double[] mean = config.Doubles("mean_rgb");
        FaceDescriptorNetwork network = FaceDescriptorNetwork.Load(FaceWeights.Folder(config, $"{Recognition}.bin"));
        using FaceDescriptor descriptor = new(network);
        Tensor square = SquareInput.Square(picture, FaceDescriptorNetwork.InputSize, centered: true);
        Check(reference, "input.150", Rows(square * 255));
        HashSet<string> recorded = [.. reference.Outputs];
        foreach (string name in recorded)
            reference.Expected(name); // Read now: inside the network they would belong to its dispose scope.
        Tensor actual = network.Forward(SquareInput.Normalize(square, mean), (layer, output) =>
        {
            if (recorded.Contains($"recognition.{layer}"))
                reference.AssertOutput(
                    $"recognition.{layer}",
                    layer == "conv32_down" ? output[torch.TensorIndex.Colon, torch.TensorIndex.Slice(step: 8)] : output
                );
        });
        reference.AssertOutput("descriptor", actual[0]);
        TensorAssert.Close("the descriptor of the crop", actual[0], torch.tensor(descriptor.Describe(picture).ToArray()), 1e-5, 0);
    }

    private static void Pipeline(ParityCase reference, ConfigNode config, Tensor picture)
    {
        if (config.Has("mean_rgb"))
            Assert.Equal(SquareInput.FaceMean, config.Doubles("mean_rgb"));
        config.Only("leaky_slope", 0.1);
        config.Only("landmark_input", FaceLandmarkNetwork.InputSize);
        config.Only("descriptor_input", FaceDescriptorNetwork.InputSize);
        string model = config.OneOf("landmark_model", Landmarks, TinyLandmarks);
        int size = config.Has("detector_input") ? config.Int("detector_input") : 416;
        using TinyFaceDetector detector = new(TinyFaceDetectorNetwork.Load(FaceWeights.Folder(config, $"{Detector}.bin")), Anchors(config));
        using Landmarks68 landmarks = new(FaceLandmarkNetwork.Load(FaceWeights.Folder(config, $"{model}.bin"), model == TinyLandmarks));
        using FaceDescriptor descriptor = new(FaceDescriptorNetwork.Load(FaceWeights.Folder(config, $"{Recognition}.bin")));
        double overlap = config.Has("iou_threshold") ? config.Double("iou_threshold") : 0.4;
        IReadOnlyList<DetectedFace> faces = detector.Detect(picture, size, config.Double("score_threshold"), overlap);
        Assert.Equal(config.Int("faces"), faces.Count);
        Check(reference, "boxes", Table(faces));
        List<Tensor> points = [],
            descriptors = [];
        List<double[]> aligned = [],
            boxes = [];
        (int width, int height) = ((int)picture.shape[3], (int)picture.shape[2]);
        foreach (DetectedFace face in faces)
        {
            FaceRectangle crop = new FaceRectangle(face.Left, face.Top, face.Width, face.Height).Clip(width, height);
            IReadOnlyList<(double X, double Y)> found =
            [
                .. landmarks.Find(crop.Of(picture)).Select(p => (p.X + face.Left, p.Y + face.Top)),
            ];
            points.Add(Table(found));
            var (left, right, mouth) = Landmarks68.Centers(found);
            FaceRectangle rectangle = FaceRectangle.ForDescriptor(left, right, mouth, (crop.Width, crop.Height));
            aligned.Add(Row(rectangle));
            boxes.Add(Row(FaceRectangle.Around(found)));
            descriptors.Add(torch.tensor(descriptor.Describe(rectangle.Clip(width, height).Of(picture)).ToArray()));
        }
        Check(reference, "landmarks", points.Count == 0 ? torch.zeros(0, 68, 2) : torch.stack(points));
        Check(reference, "aligned_rect", FaceWeights.Table(aligned, 4));
        Check(reference, "min_box", FaceWeights.Table(boxes, 4));
        Check(reference, "descriptors", descriptors.Count == 0 ? torch.zeros(0, 128) : torch.stack(descriptors));
    }

    /// <summary>Compares what a case records; cases record some inputs and some layers only.</summary>
    private static void Check(ParityCase reference, string name, Tensor actual)
    {
        if (reference.Outputs.Contains(name))
            reference.AssertOutput(name, actual);
    }

    private static (double Width, double Height)[] Anchors(ConfigNode config) =>
        [.. config.Raw("anchors").EnumerateArray().Select(pair => (pair[0].GetDouble(), pair[1].GetDouble()))];

    private static Tensor Rows(Tensor planes) => planes.permute(0, 2, 3, 1);

    private static double[] Row(FaceRectangle r) => [r.X, r.Y, r.Width, r.Height];

    private static Tensor Table(IReadOnlyList<(double X, double Y)> points) =>
        FaceWeights.Table([.. points.Select(point => new[] { point.X, point.Y })], 2);

    private static Tensor Table(IReadOnlyList<DetectedFace> faces) =>
        FaceWeights.Table([.. faces.Select(face => new[] { face.Score, face.Left, face.Top, face.Width, face.Height })], 5);
}
