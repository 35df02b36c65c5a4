//! What goes to the program that learns, and what comes back: a name, a seed, and matrices.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::ModelError;

/// The program.
pub const PROGRAM: &str = "selvedge-towers";
/// What must stand in its environment when it starts, for the same bits on every processor: libtorch's own kernels without
/// instructions that not every processor has, MKL's products in one order, one thread.
pub const ENVIRONMENT: [(&str, &str); 4] = [
    ("ATEN_CPU_CAPABILITY", "default"),
    ("MKL_CBWR", "COMPATIBLE"),
    ("MKL_NUM_THREADS", "1"),
    ("OMP_NUM_THREADS", "1"),
];

/// A task for the program, or its answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Message {
    /// What is to be learned.
    pub name: String,
    pub seed: u64,
    pub matrices: BTreeMap<String, Array2<f64>>,
}

/// What stands before the numbers.
#[derive(Serialize, Deserialize)]
struct Head {
    name: String,
    seed: u64,
    /// Of each matrix its name, rows and columns.
    shapes: Vec<(String, usize, usize)>,
}

impl Message {
    /// A matrix of this name and shape.
    ///
    /// # Errors
    /// It is missing or has another shape.
    pub fn matrix(&self, name: &str, [rows, columns]: [usize; 2]) -> Result<&Array2<f64>, ModelError> {
        let found = self.matrices.get(name).filter(|matrix| matrix.dim() == (rows, columns));
        let found = found.filter(|matrix| matrix.iter().all(|value| value.is_finite()));
        found.ok_or_else(|| ModelError::NotLearned { matrix: name.to_owned(), rows, columns })
    }

    /// Writes the length of the head (u64), the head as JSON, and the numbers row by row (f64), all little-endian.
    ///
    /// # Errors
    /// Of the output.
    pub fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let shapes =
            self.matrices.iter().map(|(name, matrix)| (name.clone(), matrix.nrows(), matrix.ncols())).collect();
        let head = serde_json::to_vec(&Head { name: self.name.clone(), seed: self.seed, shapes })?;
        output.write_all(&(head.len() as u64).to_le_bytes())?;
        output.write_all(&head)?;
        for matrix in self.matrices.values() {
            let numbers: Vec<u8> = matrix.iter().flat_map(|value| value.to_le_bytes()).collect();
            output.write_all(&numbers)?;
        }
        output.flush()
    }

    /// Reads the next message; none where the input is at its end.
    ///
    /// # Errors
    /// Of the input, or what no message looks like.
    pub fn read(input: &mut impl Read) -> io::Result<Option<Message>> {
        let mut length = [0; 8];
        match input.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let bytes = |input: &mut dyn Read, count: u64| -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            input.take(count).read_to_end(&mut bytes)?;
            if bytes.len() as u64 == count { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
        };
        let Head { name, seed, shapes } = serde_json::from_slice(&bytes(input, u64::from_le_bytes(length))?)?;
        let mut matrices = BTreeMap::new();
        for (of, rows, columns) in shapes {
            let numbers = bytes(input, (rows as u64).saturating_mul(columns as u64).saturating_mul(8))?;
            let numbers =
                numbers.chunks_exact(8).map(|number| f64::from_le_bytes(number.try_into().unwrap_or_default()));
            let matrix = Array2::from_shape_vec((rows, columns), numbers.collect());
            matrices.insert(of, matrix.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?);
        }
        Ok(Some(Message { name, seed, matrices }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn what_is_written_is_read() {
        let matrices =
            BTreeMap::from([("a".to_owned(), array![[1.5, -0.1]]), ("none".to_owned(), Array2::zeros((0, 3)))]);
        let message = Message { name: "towers".into(), seed: 7, matrices };
        let mut bytes = Vec::new();
        message.write(&mut bytes).unwrap();
        message.write(&mut bytes).unwrap();
        let mut input = bytes.as_slice();
        assert_eq!(Message::read(&mut input).unwrap().as_ref(), Some(&message));
        assert_eq!(Message::read(&mut input).unwrap().as_ref(), Some(&message));
        assert_eq!(Message::read(&mut input).unwrap(), None);
        assert!(Message::read(&mut &bytes[..bytes.len() / 2 - 3]).is_err());
        assert!(Message::read(&mut &b"\x03\0\0\0\0\0\0\0{]}"[..]).is_err());
        assert!(message.matrix("a", [1, 2]).is_ok() && message.matrix("a", [2, 1]).is_err());
        assert!(message.matrix("b", [1, 2]).is_err());
    }
}
