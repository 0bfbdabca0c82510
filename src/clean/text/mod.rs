//! Finds and reads text in a frame: picture in, lines with confidence out.

/// A frame for looking at: 8 bits per sample, rows from the top.
#[derive(Debug, Clone)]
pub struct View {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// 1 (grey) or 3 (R, G, B interleaved).
    pub samples: u8,
    /// `width × height × samples` bytes.
    pub pixels: Vec<u8>,
}

/// A line of text found in a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct TextLine {
    /// Corners in pixels of the frame, clockwise from the text's top left.
    pub corners: [[f32; 2]; 4],
    /// What was read (NFKC); empty when nothing was.
    pub text: String,
    /// Mean confidence of the characters, 0 to 1; 0 when nothing was read.
    pub confidence: f32,
}
